//! What can be done, and with what.

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Program,
    User,
    Poster,
    Scan,
    Referral,
    Earning,
}

pub const KINDS: [Kind; 6] = [
    Kind::Program,
    Kind::User,
    Kind::Poster,
    Kind::Scan,
    Kind::Referral,
    Kind::Earning,
];

impl Kind {
    /// Where it lives, and what its list is called.
    pub fn path(self) -> &'static str {
        [
            "programs",
            "users",
            "posters",
            "impressions",
            "referrals",
            "earnings",
        ][self as usize]
    }

    pub fn prefix(self) -> &'static str {
        ["prog", "user", "poster", "imp", "ref", "earn"][self as usize]
    }
}

/// A request. Numbers point at what there is, round and round, so that any part of a sequence is a sequence.
#[derive(Debug, Clone)]
pub enum Op {
    Launch {
        key: Option<u8>,
    },
    Pause {
        program: usize,
        paused: bool,
    },
    Enrol {
        program: usize,
        person: u8,
        key: Option<u8>,
    },
    Hang {
        user: usize,
        place: u8,
        key: Option<u8>,
    },
    Scan {
        poster: usize,
        key: Option<u8>,
    },
    SignUp {
        scan: usize,
        person: u8,
        key: Option<u8>,
    },
    Decide {
        referral: usize,
        to: usize,
    },
    Rename {
        referral: usize,
        person: u8,
    },
    Tag {
        referral: usize,
        key: u8,
        value: Option<u8>,
    },
    Earn {
        referral: usize,
        amount: u8,
        key: Option<u8>,
    },
    Get {
        kind: usize,
        which: usize,
    },
    List {
        kind: usize,
        by: usize,
        which: usize,
        status: usize,
        limit: usize,
        offset: u8,
        desc: bool,
        after: Option<usize>,
    },
}
