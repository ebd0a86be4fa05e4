//! Random sequences of requests get equal answers from SQLite, PostgreSQL and a model of the documents.

mod model;
mod player;

use model::Op;

/// How many sequences, and how long; more with `ANSWERS_SEQUENCES`. `ANSWERS_SEED` plays others.
const SEQUENCES: u64 = 4;
const LENGTH: u64 = 150;

#[expect(
    clippy::disallowed_methods,
    reason = "settings of the test, not of the program"
)]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Random numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    /// 0 to `sides` - 1.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % sides
    }

    fn size(&mut self, sides: u64) -> usize {
        usize::try_from(self.roll(sides)).expect("a small number")
    }

    fn byte(&mut self, sides: u64) -> u8 {
        u8::try_from(self.roll(sides)).expect("a small number")
    }

    /// One of a few keys, every other time.
    fn key(&mut self) -> Option<u8> {
        (self.roll(2) == 0).then(|| self.byte(4))
    }

    fn op(&mut self) -> Op {
        match self.roll(24) {
            0 => Op::Launch { key: self.key() },
            1 => Op::Pause {
                program: self.size(50),
                paused: self.roll(3) == 0,
            },
            2..=3 => Op::Enrol {
                program: self.size(50),
                person: self.byte(3),
                key: self.key(),
            },
            4..=5 => Op::Hang {
                user: self.size(50),
                place: self.byte(3),
                key: self.key(),
            },
            6..=8 => Op::Scan {
                poster: self.size(50),
                key: self.key(),
            },
            9..=11 => Op::SignUp {
                scan: self.size(50),
                person: self.byte(4),
                key: self.key(),
            },
            // A few of them often, so that statuses go far.
            12..=14 => Op::Decide {
                referral: self.size(6),
                to: self.size(4),
            },
            15 => Op::Rename {
                referral: self.size(50),
                person: self.byte(5),
            },
            16 => Op::Tag {
                referral: self.size(50),
                key: self.byte(3),
                value: (self.roll(3) > 0).then(|| self.byte(3)),
            },
            17..=18 => Op::Earn {
                referral: self.size(50),
                amount: self.byte(3),
                key: self.key(),
            },
            19 => Op::Get {
                kind: self.size(6),
                which: self.size(50),
            },
            _ => Op::List {
                kind: self.size(6),
                by: self.size(5),
                which: self.size(50),
                status: self.size(12),
                limit: self.size(6),
                offset: self.byte(4),
                desc: self.roll(3) == 0,
                after: (self.roll(4) == 0).then(|| self.size(50)),
            },
        }
    }
}

/// A beginning in which there is something of everything, and then chance.
fn a_sequence(seed: u64) -> Vec<Op> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut ops = vec![
        Op::Launch { key: None },
        Op::Enrol {
            program: 0,
            person: 0,
            key: None,
        },
        Op::Hang {
            user: 0,
            place: 0,
            key: None,
        },
        Op::Scan {
            poster: 0,
            key: None,
        },
        Op::SignUp {
            scan: 1,
            person: 0,
            key: None,
        },
    ];
    ops.extend((0..LENGTH).map(|_| dice.op()));
    ops
}

#[actix_web::test]
async fn random_requests_get_the_same_answers_from_both_databases_and_the_model() {
    let seed = setting("ANSWERS_SEED", 20_261_121);
    for number in 0..setting("ANSWERS_SEQUENCES", SEQUENCES) {
        let ops = a_sequence(seed + number);
        if let Err(wrong) = player::play(&ops, false).await {
            let (ops, wrong) = player::shrunk(&ops, wrong, false).await;
            panic!(
                "ANSWERS_SEED={} goes wrong: {}\n{ops:#?}",
                seed + number,
                wrong.how
            );
        }
    }
}

/// The negative control: a model that does not turn lists round is caught, and in a few requests.
#[actix_web::test]
async fn a_model_that_is_wrong_is_noticed_in_a_short_sequence() {
    let ops = a_sequence(20_261_121);
    let wrong = player::play(&ops, true).await.expect_err("a difference");
    let (short, wrong) = player::shrunk(&ops, wrong, true).await;
    assert!(wrong.how.contains("order=desc"), "{}", wrong.how);
    assert!(short.len() < 30, "{short:#?}");
}
