//! So many requests per minute and key.

use futures_util::future::join_all;
use reqwest::Method;

use crate::support::on_both;

on_both! {
    with [("HANDBILL_RATE_LIMIT", "60")] =>
    async fn a_key_has_so_many_requests_and_is_told_where_it_stands(app: &TestApp) {
        let first = app.get("/api/v1/programs").await;
        assert_eq!(
            first.header("ratelimit-policy"),
            Some("\"default\";q=60;w=60")
        );
        assert_eq!(first.header("ratelimit"), Some("\"default\";r=59;t=1"));
        assert_eq!(first.header("x-ratelimit-limit"), Some("60"));
        assert_eq!(first.header("x-ratelimit-remaining"), Some("59"));
        assert!(
            first
                .header("x-ratelimit-reset")
                .is_some_and(|reset| reset.parse::<i64>().is_ok())
        );
        let answers = join_all((0..100).map(|_| app.get("/api/v1/programs/unknown"))).await;
        let refused: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status == 429)
            .collect();
        // One request comes back every second, and the hundred may take a second or two.
        assert!((36..=41).contains(&refused.len()), "{}", refused.len());
        let body = refused[0].refused_with(429);
        assert_eq!(body["code"], "rate_limited");
        assert!(
            refused[0]
                .header("retry-after")
                .is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait >= 1))
        );
        assert_eq!(refused[0].header("x-ratelimit-remaining"), Some("0"));

        let stranger = app.stranger().await;
        stranger.get("/api/v1/programs").await.ok();
        app.nobody().get("/api/v1/programs").await.refused_with(401);
        assert_eq!(
            app.nobody().get("/q/XXXXX").await.status,
            404,
            "phones are never limited"
        );
    }
}

on_both! {
    with [("HANDBILL_WRONG_KEY_LIMIT", "6"), ("HANDBILL_RATE_LIMIT", "60"), ("HANDBILL_TRUSTED_PROXIES", "127.0.0.1")] =>
    async fn wrong_keys_are_counted_by_address_and_cost_nobody_a_request(app: &TestApp) {
        let key = app.key.clone().expect("a key");
        app.get("/api/v1/programs").await.ok();
        let from = async |address: &str, key: &str| {
            let headers = [("x-forwarded-for", address), ("authorization", &*format!("Bearer {key}"))];
            app.send(Method::GET, "/api/v1/programs", &headers, None::<String>).await
        };
        // Somebody tries keys: near the right one, without any, in every shape.
        let tries = [format!("{key}x"), key.to_lowercase(), "sk_".to_owned(), "nonsense".to_owned(), String::new(), format!("{key}y")];
        for wrong in &tries {
            from("203.0.113.9", wrong).await.refused_with(401);
        }
        for wrong in &tries {
            let refused = from("203.0.113.9", wrong).await;
            assert_eq!(refused.refused_with(429)["code"], "rate_limited");
            let wait = refused.header("retry-after").and_then(|wait| wait.parse::<u64>().ok());
            assert!(wait.is_some_and(|wait| (1..=11).contains(&wait)), "{wait:?}");
            assert_eq!(refused.header("www-authenticate"), None);
        }
        // Other addresses are not concerned, nor is whoever's key works already, from there too.
        from("203.0.113.10", "sk_wrong").await.refused_with(401);
        let mine = from("203.0.113.9", &key).await;
        mine.ok();
        let remaining = mine.header("x-ratelimit-remaining");
        assert!(matches!(remaining, Some("58" | "59")), "two requests with the right key: {remaining:?}");
        // A key that this process has not seen waits for a try, and then works.
        let stranger = app.stranger().await;
        let new = stranger.key.clone().expect("a key");
        from("203.0.113.9", &new).await.refused_with(429);
        from("203.0.113.10", &new).await.ok();
        from("203.0.113.9", &new).await.ok();
    }

    async fn a_phone_that_says_it_is_elsewhere_is_where_it_is(app: &TestApp) {
        for number in 0..6 {
            let headers = [("x-forwarded-for", &*format!("198.51.100.{number}, 203.0.113.9"))];
            app.nobody().send(Method::GET, "/api/v1/programs", &headers, None::<String>).await.refused_with(401);
        }
        let headers = [("x-forwarded-for", "198.51.100.77, 203.0.113.9")];
        app.nobody().send(Method::GET, "/api/v1/programs", &headers, None::<String>).await.refused_with(429);
    }
}
