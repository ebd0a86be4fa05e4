//! So many requests per minute and key.

use futures_util::future::join_all;

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
