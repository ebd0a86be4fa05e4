//! Webhooks that do not arrive: how often they are tried, and whom that delays.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::receiver::{Receiver, Reply, say};
use crate::support::{TestApp, WEBHOOKS_TO_THIS_MACHINE, on_both};
use crate::webhooks::{an_endpoint, deliver, deliveries, happen, path, shown};

on_both! { with WEBHOOKS_TO_THIS_MACHINE =>
    async fn what_fails_is_tried_ten_times_under_one_id_and_the_next_has_its_turn(app: &TestApp) {
        let receiver = Receiver::start(|_, _| Reply::Say(500, "", "out of\0order".to_owned()));
        let endpoint = an_endpoint(app, &receiver.url).await;
        let ids = happen(app, "referral.created", 1, 2);
        let start = app.app.clock.now();
        for attempt in 1..=10 {
            deliver(app).await;
            assert_eq!(receiver.ids().iter().filter(|id| **id == ids[0]).count(), attempt);
            if attempt < 10 {
                let seen = deliveries(app, &endpoint).await.remove(0);
                assert_eq!((&seen["status"], &seen["attempts"]), (&json!("pending"), &json!(attempt)));
                assert_eq!((&seen["last_error"], &seen["excerpt"]), (&json!("answered 500"), &json!("out oforder")));
                deliver(app).await;
                assert_eq!(receiver.received().len(), attempt, "not before its time");
                wait_for_the_next(app, &endpoint).await;
            }
        }
        let took = (app.app.clock.now().micros() - start.micros()) / 1_000_000;
        let planned = 75 * 3600 + 35 * 60 + 5;
        assert!((planned * 8 / 10..=planned * 12 / 10 + 30).contains(&took), "{took}");
        let seen = deliveries(app, &endpoint).await;
        assert_eq!((&seen[0]["status"], &seen[0]["next_at"]), (&json!("failed"), &json!(null)));
        assert_eq!((&seen[1]["status"], &seen[1]["attempts"]), (&json!("pending"), &json!(1)));
        // Nobody has answered for five days: that is enough.
        while shown(app, &endpoint).await["enabled"] == true {
            wait_for_the_next(app, &endpoint).await;
            deliver(app).await;
        }
        let gave_up = shown(app, &endpoint).await;
        assert_eq!(gave_up["disabled_reason"], "nothing was delivered for 5 days");
        assert!(app.app.clock.now() >= start.plus_seconds(5 * 86_400));
        // Whoever enables it again gets what it has not got, at once.
        let before = receiver.received().len();
        app.put(&path(&endpoint, ""), json!({ "enabled": true })).await.ok();
        deliver(app).await;
        assert_eq!(receiver.ids()[before..], ids[1..]);
        assert_eq!(shown(app, &endpoint).await["disabled_at"], json!(null));
    }

    async fn a_receiver_that_comes_back_gets_everything_in_order(app: &TestApp) {
        let receiver = Receiver::start(|number, _| if (3..6).contains(&number) { say(503) } else { say(200) });
        let endpoint = an_endpoint(app, &receiver.url).await;
        let ids = happen(app, "referral.created", 1, 6);
        for _ in 0..4 {
            deliver(app).await;
            wait_for_the_next(app, &endpoint).await;
        }
        let mut expected = ids.clone();
        expected.splice(3..3, [ids[3].clone(), ids[3].clone(), ids[3].clone()]);
        assert_eq!(receiver.ids(), expected);
        let seen = deliveries(app, &endpoint).await;
        assert_eq!(seen[3]["attempts"], 4);
        assert!(seen[3]["first_at"].as_str() < seen[3]["last_at"].as_str());
        assert_eq!(shown(app, &endpoint).await["failing_since"], json!(null));
    }

    async fn gone_disables_at_once(app: &TestApp) {
        let receiver = Receiver::start(|_, _| say(410));
        let endpoint = an_endpoint(app, &receiver.url).await;
        happen(app, "referral.created", 1, 2);
        deliver(app).await;
        app.wait(86_400);
        deliver(app).await;
        assert_eq!(receiver.received().len(), 1);
        let gone = shown(app, &endpoint).await;
        assert_eq!((&gone["enabled"], &gone["disabled_reason"]), (&json!(false), &json!("the receiver answered 410 Gone")));
        let told = app.get("/api/v1/events?types=webhook_endpoint.disabled").await.ok();
        assert_eq!((told["events"].as_array().map(Vec::len), &told["events"][0]["data"]), (Some(1), &gone));
    }

    async fn a_redirect_is_a_failure_and_not_followed(app: &TestApp) {
        let inner = Receiver::friendly();
        let to: &'static str = Box::leak(format!("location: {}\r\n", inner.url).into_boxed_str());
        let receiver = Receiver::start(move |_, _| Reply::Say(307, to, String::new()));
        let endpoint = an_endpoint(app, &receiver.url).await;
        happen(app, "referral.created", 1, 1);
        deliver(app).await;
        assert_eq!(inner.received().len(), 0);
        assert_eq!(deliveries(app, &endpoint).await[0]["last_error"], "answered 307");
    }

    async fn an_endless_answer_is_cut_off(app: &TestApp) {
        let receiver = Receiver::start(|_, _| Reply::Endless);
        let endpoint = an_endpoint(app, &receiver.url).await;
        happen(app, "referral.created", 1, 1);
        deliver(app).await;
        let seen = deliveries(app, &endpoint).await.remove(0);
        assert_eq!((&seen["status"], seen["excerpt"].as_str().map(str::len)), (&json!("delivered"), Some(1000)));
        // What the system's buffers take comes on top of what is read.
        assert!(receiver.taken.load(Ordering::Relaxed) < 16 * 1024 * 1024);
    }

    async fn a_receiver_that_hangs_or_is_dead_delays_no_other(app: &TestApp) {
        let (hanging, quick) = (Receiver::start(|_, _| Reply::Hang), Receiver::friendly());
        let slow = an_endpoint(app, &hanging.url).await;
        let dead = an_endpoint(app, "http://127.0.0.1:9/").await;
        an_endpoint(app, &quick.url).await;
        let ids = happen(app, "referral.created", 1, 20);
        let began = Instant::now();
        let watch = async {
            while quick.received().len() < 20 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            began.elapsed()
        };
        let ((), quick_took) = join(deliver(app), watch).await;
        assert_eq!(quick.ids(), ids);
        assert!(quick_took < Duration::from_secs(10), "{quick_took:?}");
        assert!((14..20).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        assert_eq!(deliveries(app, &slow).await[0]["last_error"], "no answer within 15 seconds");
        let error = deliveries(app, &dead).await[0]["last_error"].clone();
        assert!(error.as_str().is_some_and(|error| error.starts_with("no connection: ")), "{error}");
        // Five seconds would be the plan.
        app.wait(50);
        deliver(app).await;
        assert_eq!(hanging.received().len(), 1);
    }

    async fn a_receivers_wish_is_kept_within_bounds(app: &TestApp) {
        let receiver = Receiver::start(|_, _| Reply::Say(429, "retry-after: 100\r\n", String::new()));
        let endpoint = an_endpoint(app, &receiver.url).await;
        happen(app, "referral.created", 1, 1);
        deliver(app).await;
        app.wait(90);
        deliver(app).await;
        assert_eq!(receiver.received().len(), 1);
        app.wait(11);
        deliver(app).await;
        assert_eq!(receiver.received().len(), 2);
        assert_eq!(deliveries(app, &endpoint).await[0]["last_status"], 429);
    }
}

/// Turns the clock to just behind the endpoint's next attempt.
async fn wait_for_the_next(app: &TestApp, endpoint: &Value) {
    use handbill::parse::Parse;
    let shown = shown(app, endpoint).await;
    let Some(next) = shown["next_attempt_at"].as_str() else {
        return;
    };
    let next = handbill::clock::Timestamp::parse(next).expect("a moment");
    app.wait((next.micros() - app.app.clock.now().micros()).div_euclid(1_000_000) + 2);
}
