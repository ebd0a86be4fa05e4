//! What a key may do: `referrals:read`, `referrals:write` … The scope of an operation follows from its method and path
//! alone, so that no operation can be without one.

use std::fmt;

use super::model::Scopes;
use crate::db::columns::text_enum;
use crate::parse::Parse;

text_enum! {
    /// What an operation is about: the first part of its path behind `/api/v1/`.
    pub enum Resource {
        /// Programs and their rules.
        Programs = "programs",
        /// Ambassadors.
        Users = "users",
        /// Posters.
        Posters = "posters",
        /// Scans.
        Impressions = "impressions",
        /// Signups.
        Referrals = "referrals",
        /// Who may bring others, and be brought.
        Customers = "customers",
        /// Who brought whom.
        Introductions = "introductions",
        /// What those who were brought got.
        Coupons = "coupons",
        /// Purchases.
        Conversions = "conversions",
        /// What was given back.
        Refunds = "refunds",
        /// Commissions.
        Earnings = "earnings",
        /// Payouts and collections.
        Payouts = "payouts",
        /// Transfers, balances, statements.
        Ledger = "ledger",
        /// Counts.
        Stats = "stats",
        /// The feed.
        Events = "events",
        /// Where events are sent.
        WebhookEndpoints = "webhook-endpoints",
        /// What was done by those who run the programs.
        AuditLog = "audit-log",
        /// What everybody may see.
        Public = "public",
        /// Keys themselves. No restricted key has it: it could make itself a better one.
        Keys = "keys",
    }
}

/// One thing that a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    resource: Resource,
    writes: bool,
}

/// What ends the path of a POST that only computes.
const COMPUTES: &str = ":preview";

impl Scope {
    /// Every scope, in the documented order.
    pub fn all() -> impl Iterator<Item = Self> {
        let both = |resource| [false, true].map(|writes| Self { resource, writes });
        Resource::ALL.iter().copied().flat_map(both)
    }

    /// The scope that a request needs; `path` begins behind `/api/v1/`. None: no key but a secret one has it.
    pub fn of(method: &str, path: &str) -> Option<Self> {
        let name = path.split(['/', ':', '.']).next().unwrap_or_default();
        let resource = Resource::parse(name).ok()?;
        let reads = matches!(method, "GET" | "HEAD") || path.ends_with(COMPUTES);
        Some(Self {
            resource,
            writes: !reads,
        })
    }

    /// Whether a restricted key may have it. Nothing public is written.
    pub fn can_be_granted(self) -> bool {
        self.resource != Resource::Keys && !(self.resource == Resource::Public && self.writes)
    }

    fn bit(self) -> u64 {
        1 << (2 * (self.resource as u64) + u64::from(self.writes))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = if self.writes { "write" } else { "read" };
        write!(f, "{}:{access}", self.resource.as_str())
    }
}

/// What a key may do, to be asked at every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted(u64);

impl Granted {
    /// Everything.
    pub const ALL: Self = Self(u64::MAX);

    /// What these words say.
    pub fn by(scopes: &Scopes) -> Self {
        let words = scopes.list();
        let named = Scope::all().filter(|scope| words.contains(&scope.to_string()));
        Self(named.fold(0, |bits, scope| bits | scope.bit()))
    }

    /// What a publishable key may do.
    pub fn public() -> Self {
        let scope = Scope {
            resource: Resource::Public,
            writes: false,
        };
        Self(scope.bit())
    }

    /// Whether what needs `scope` is allowed.
    pub fn allows(self, scope: Option<Scope>) -> bool {
        self == Self::ALL || scope.is_some_and(|scope| self.0 & scope.bit() != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_follows_from_method_and_path() {
        let scope = |method, path| Scope::of(method, path).map(|scope| scope.to_string());
        for (method, path, expected) in [
            ("GET", "referrals", "referrals:read"),
            ("PUT", "referrals/ref_1", "referrals:write"),
            ("POST", "payouts:collect", "payouts:write"),
            ("GET", "payouts.csv", "payouts:read"),
            ("POST", "programs/prog_1/rules:preview", "programs:read"),
            (
                "DELETE",
                "webhook-endpoints/whe_1",
                "webhook-endpoints:write",
            ),
        ] {
            assert_eq!(scope(method, path).as_deref(), Some(expected));
        }
        for path in [
            "",
            "/",
            "nothing",
            "Referrals",
            "referrals%2F",
            "%72eferrals",
            " referrals",
        ] {
            assert_eq!(scope("GET", path), None, "{path}");
        }
    }

    #[test]
    fn what_is_granted_is_allowed_and_nothing_else() {
        for granted in Scope::all() {
            let some = Granted::by(&Scopes::from_iter([granted]));
            for needed in Scope::all() {
                assert_eq!(some.allows(Some(needed)), needed == granted);
                assert!(Granted::ALL.allows(Some(needed)));
            }
            assert!(!some.allows(None));
        }
        assert!(Granted::ALL.allows(None));
        assert!(!Granted::by(&Scopes::none()).allows(None));
    }

    #[test]
    fn scopes_are_kept_in_one_order_and_once() {
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        let kept = Scopes::new(&words(&["users:read", "programs:read", "users:read"])).unwrap();
        assert_eq!(kept.as_str(), "programs:read users:read");
        for wrong in [
            &["keys:write"][..],
            &["keys:read"],
            &["public:write"],
            &["users"],
            &["users:*"],
            &[""],
            &[],
        ] {
            assert!(Scopes::new(&words(wrong)).is_err(), "{wrong:?}");
        }
    }
}
