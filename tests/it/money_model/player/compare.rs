//! Compares the database with the model.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;

use super::super::books::Balance;
use super::{CURRENCIES, Player, Row, stand};

impl Player<'_> {
    pub fn compare_balances(&mut self, turn: u64, name: &str) {
        let query = "SELECT ambassador_id AS who, currency AS what, pending AS a, available AS b, in_payout AS c, \
            paid AS d, owed_back AS e, transfers AS f, transfers AS g FROM balances";
        let rows: Vec<Row> = sql_query(query).load(&mut self.conn).expect("balances");
        let mut stored: BTreeMap<(usize, usize), Balance> = BTreeMap::new();
        for row in rows {
            let who = self
                .ambassadors
                .iter()
                .position(|one| *one == row.who)
                .expect("an ambassador");
            let what = CURRENCIES
                .iter()
                .position(|one| *one == row.what)
                .expect("a currency");
            stored.insert((who, what), [row.a, row.b, row.c, row.d, row.e]);
        }
        stored.retain(|_, balance| *balance != Balance::default());
        let mut told = self.books.balances();
        told.retain(|_, balance| *balance != Balance::default());
        assert_eq!(stored, told, "turn {turn}, {name}");
    }

    pub fn compare_earnings(&mut self, when: &str) {
        let query = "SELECT id AS who, status AS what, held AS a, available AS b, in_payout AS c, paid AS d, \
            set_off AS e, reversed AS f, clawed_back AS g FROM earnings ORDER BY id";
        let rows: Vec<Row> = sql_query(query).load(&mut self.conn).expect("earnings");
        assert_eq!(rows.len(), self.books.earnings.len(), "{when}");
        for (row, told) in rows.iter().zip(&self.books.earnings) {
            let stored = [row.a, row.b, row.c, row.d, row.e, row.f, row.g];
            let portions = [
                told.held,
                told.available,
                told.in_payout,
                told.paid,
                told.set_off,
                told.reversed,
                told.clawed_back,
            ];
            assert_eq!(
                (stored, &*row.what),
                (portions, stand(told.stand)),
                "{when}: {}",
                row.who
            );
        }
    }

    /// Every operation was done and refused often enough to mean something.
    pub fn all_was_played(&self) {
        for (name, [done, refused]) in &self.played {
            let is_refusable = !matches!(*name, "collect" | "time");
            assert!(
                *done > 20 && (*refused > 5 || !is_refusable),
                "{name}: {done} done, {refused} refused"
            );
        }
        assert_eq!(self.played.len(), 9);
        let owed: i64 = self
            .books
            .earnings
            .iter()
            .map(|earning| earning.set_off)
            .sum();
        assert!(owed > 0, "debts were set off");
        let rewards = self.books.earnings.iter().filter(|one| one.reward);
        let lost = rewards.clone().filter(|one| one.standing() == 0).count();
        assert!(
            rewards.count() > 5 && lost > 1,
            "rewards were given and lost"
        );
    }
}
