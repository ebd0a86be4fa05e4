//! handbill: the backend of an ambassador programme that recruits through QR posters.
//!
//! The folders are the business. In each, the file names are the layers: `model` (what it is), `queries` (every statement
//! about its table), one file per verb, `routes` (its contract on the wire). `docs/architecture.md` says where everything
//! lives and why; this is the map.
//!
//! In the order of the money:
//!
//! * [`invitations`]: what a customer needs to bring others, and those who are brought without a link
//! * [`programs`]: what is promised, and where a scan leads
//! * [`ambassadors`]: who promotes
//! * [`posters`]: what hangs on the wall, each with a code of its own
//! * [`impressions`]: scans, at our address or seen elsewhere
//! * [`conversions`]: what referred people bought
//! * [`refunds`]: what was given back of an order
//! * [`referrals`]: signups, and what becomes of them
//! * [`introductions`]: one customer brought another
//! * [`customers`]: people the company knows
//! * [`coupons`]: the code that a customer gets who was brought by another
//! * [`payouts`]: money leaving, for one ambassador in one currency
//! * [`earnings`]: commissions on their way to the ambassador
//! * [`rules`]: what a program pays for a conversion
//! * [`ledger`]: who owes what to whom, as transfers that are only ever added
//! * [`stats`]: how many scans and signups, and what became of them, by poster and day
//! * [`events`]: what happened, in order
//!
//! Around them:
//!
//! * [`accounts`]: the tenants, to whom every other row belongs
//! * [`api_keys`]: made once, shown once, kept as a hash; whose request this is, and whether it may be made
//! * [`webhooks`]: an account's events, sent to where it wants them
//! * [`replies`]: what was answered under a key, for dialects that promise the answer itself again
//! * [`acts`]: what was done by who runs a program: the audit log on the wire
//! * [`erasures`]: what is personal about somebody is removed wherever it stands
//! * [`audit`]: everything that is kept twice is added up again and compared: `handbill verify`
//! * [`copies`]: of a database, or of one account in it, row by row as they are
//! * [`dialects`]: other published APIs over the same verbs and queries
//!
//! What runs:
//!
//! * [`cli`]: the command line
//! * [`config`]: every setting, its default, and its complaint
//! * [`app`]: what a request can reach, and the route table
//! * [`worker`]: what happens without a request
//! * [`payday`]: what money needs time for: holds end, collections go on, schedules fall due
//!
//! Values, each type a promise about what is in it, and what nouns have in common:
//!
//! * [`clock`]: moments and where they come from
//! * [`ids`]: a prefix that says what it is, and characters that sort by time
//! * [`money`]: amounts, currencies, rates, and the one way to round
//! * [`text`]: what people type: names, e-mail addresses, URLs, notes
//! * [`metadata`]: the caller's own JSON object on a resource
//! * [`encryption`]: secrets that have to be known again, and with which key they are kept
//! * [`bounds`]: the part of an account that a key may be bound to
//! * [`parse`]: what a value must be before it may enter, and the complaint if it is not
//! * [`idempotency`]: a key makes a retry the same write
//! * [`status`]: what every state machine says to a move that is not in its table
//! * [`error`]: what can go wrong, and how it looks to the caller
//!
//! Underneath:
//!
//! * [`db`]: everything that knows there are two databases; it knows no noun
//! * [`http`]: everything about HTTP that is not about one noun

pub mod app;
pub mod cli;
pub mod config;
pub mod dialects;
pub mod payday;
pub mod worker;

pub mod accounts;
pub mod acts;
pub mod ambassadors;
pub mod api_keys;
pub mod audit;
pub mod conversions;
pub mod copies;
pub mod coupons;
pub mod customers;
pub mod earnings;
pub mod erasures;
pub mod events;
pub mod impressions;
pub mod introductions;
pub mod invitations;
pub mod ledger;
pub mod payouts;
pub mod posters;
pub mod programs;
pub mod referrals;
pub mod refunds;
pub mod replies;
pub mod rules;
pub mod stats;
pub mod webhooks;

pub mod bounds;
pub mod clock;
pub mod encryption;
pub mod error;
pub mod idempotency;
pub mod ids;
pub mod metadata;
pub mod money;
pub mod parse;
pub mod status;
pub mod text;

pub mod db;
pub mod http;
