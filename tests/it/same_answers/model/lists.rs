//! Lists: what is on a page.

use super::{Expected, KINDS, Kind, Op, Request, STATUSES, Thing, World, filters, name};

impl World {
    pub fn list(&self, op: &Op) -> (Request, Expected) {
        let Op::List {
            kind,
            by,
            which,
            status,
            limit,
            offset,
            desc,
            after,
        } = *op
        else {
            panic!("a list");
        };
        let kind = KINDS[kind % KINDS.len()];
        let mut query = Vec::new();
        let mut items: Vec<(usize, &Thing)> = self.all(kind).iter().enumerate().collect();
        if let Some((field, of)) = filters(kind).get(by % 5) {
            let known = (!which.is_multiple_of(6))
                .then(|| self.pick(*of, which))
                .flatten();
            let id = known.map_or("undefined".to_owned(), |(number, _)| name(*of, number));
            items.retain(|(_, thing)| thing.of[field] == id);
            query.push(format!("{field}={id}"));
        }
        let mut refused = false;
        if kind == Kind::Referral && status < 5 {
            let wanted = STATUSES.get(status).copied().unwrap_or("lost");
            refused = status == 4;
            items.retain(|(_, thing)| thing.said["status"] == wanted);
            query.push(format!("status={wanted}"));
        }
        if desc {
            if !self.is_wrong {
                items.reverse();
            }
            query.push("order=desc".to_owned());
        }
        let offset = if after.is_some() {
            0
        } else {
            usize::from(offset)
        };
        if let Some((number, _)) = after.and_then(|after| self.pick(kind, after)) {
            items.retain(|(other, _)| {
                if desc {
                    *other < number
                } else {
                    *other > number
                }
            });
            query.push(format!("after={}", name(kind, number)));
        }
        if offset > 0 {
            query.push(format!("offset={offset}"));
        }
        let (asked, limit) = [
            (None, 50),
            (Some(1), 1),
            (Some(2), 2),
            (Some(5), 5),
            (Some(5000), 1000),
            (Some(0), 0),
        ][limit % 6];
        refused |= limit == 0;
        query.extend(asked.map(|asked| format!("limit={asked}")));
        let path = format!("{}?{}", kind.path(), query.join("&"));
        let rest = items.len().saturating_sub(offset);
        let expected = match refused {
            true => Expected::Refused(400, "invalid_request"),
            false => Expected::Page {
                items: items
                    .iter()
                    .skip(offset)
                    .take(limit)
                    .map(|(_, thing)| thing.said.clone())
                    .collect(),
                limit,
                offset,
                has_more: rest > limit,
            },
        };
        (
            Request {
                method: "GET",
                path,
                body: None,
                makes: None,
            },
            expected,
        )
    }
}
