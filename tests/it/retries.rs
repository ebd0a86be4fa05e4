//! Whatever is written may be sent twice: generated from the document, so that a new operation is in here before anybody
//! thinks of it.

use handbill::events::number::number_new;
use reqwest::Method;
use serde_json::json;

use crate::support::dump::dump;
use crate::support::everything::one_of_each_for_dialects;
use crate::support::money::id;
use crate::support::on_both;
use crate::support::operations::{operations, operations_of_dialects};

/// An operation on a delivery, which nothing has without a receiver.
const WITHOUT_ONE: [&str; 1] = ["retryWebhookDelivery"];

on_both! {
    async fn every_write_of_the_document_is_the_same_when_it_is_sent_again(app: &TestApp) {
        let account = app.database.account_named("default");
        let caller = app.with_joy(account);
        let mut own = one_of_each_for_dialects(&caller, "mine").await;
        // The other earning is in a payout by now, and follows that.
        let earning = json!({ "referral_id": own["ref"], "amount": 700 });
        let earning = caller.post("/api/v1/earnings", earning).await.ok();
        own.insert("earn", id(&earning).to_owned());
        let (mut keyed, mut natural) = (0, 0);
        let mut wrong = Vec::new();
        let mut all = operations_of_dialects();
        all.extend(operations());
        for operation in all.iter().filter(|operation| operation.method != Method::GET) {
            let name = &operation.name;
            let send = async || match operation.takes_a_key() {
                true => operation.send_with_a_key(&caller, &own).await,
                false => operation.send(&caller, &own, None).await,
            };
            let first = send().await;
            if ![200, 201, 204].contains(&first.status) && !WITHOUT_ONE.contains(&&**name) {
                wrong.push(format!("{name} is refused: {} {}", first.status, first.text()));
            }
            // That PostgreSQL's events get their numbers is no second write.
            number_new(&app.app.db, &account).await.expect("numbers");
            let before = dump(&mut app.database.connect(), account);
            app.wait(60);
            let again = send().await;
            number_new(&app.app.db, &account).await.expect("numbers");
            let after = dump(&mut app.database.connect(), account);
            let more: Vec<&String> = after.iter().filter(|row| !before.contains(row)).collect();
            if after != before {
                wrong.push(format!("{name} is a second write: {more:?}"));
            }
            if operation.takes_a_key() {
                if first.is_replay() || !again.is_replay() {
                    wrong.push(format!("{name} is not replayed: {} {}", again.status, again.text()));
                }
                keyed += 1;
            } else {
                natural += 1;
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert!(keyed > 15 && natural > 20, "{keyed} {natural}");
    }
}
