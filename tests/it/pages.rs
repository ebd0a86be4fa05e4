//! How lists are walked.

use serde_json::{Value, json};

use crate::support::{Answer, Caller, on_both};

/// Seven programs, oldest first.
async fn seven(app: &Caller) -> Vec<Value> {
    let mut programs = Vec::new();
    for _ in 0..7 {
        programs.push(app.a_program().await);
    }
    programs
}

fn link<'a>(answer: &'a Answer, rel: &str) -> Option<&'a str> {
    let links = answer.header("link")?;
    let found = links
        .split(", <")
        .find(|link| link.ends_with(&format!("rel=\"{rel}\"")))?;
    found.trim_start_matches('<').split('>').next()
}

on_both! {
    async fn an_empty_list_is_an_empty_array(app: &TestApp) {
        for list in ["programs", "users", "posters", "impressions", "referrals", "earnings"] {
            let answer = app.get(&format!("/api/v1/{list}")).await;
            assert_eq!(answer.text(), format!(r#"{{"{list}":[],"limit":50,"offset":0,"has_more":false}}"#));
            assert_eq!(answer.header("link"), None);
        }
    }

    async fn offset_and_limit_cut_the_list(app: &TestApp) {
        let programs = seven(app).await;
        let page = async |query: &str| app.get(&format!("/api/v1/programs?{query}")).await.ok();
        let expected = |from: usize, to: usize, limit: i64, more: bool| json!({
            "programs": programs[from..to], "limit": limit, "offset": from, "has_more": more,
        });
        assert_eq!(page("limit=3").await, expected(0, 3, 3, true));
        assert_eq!(page("limit=3&offset=3").await, expected(3, 6, 3, true));
        assert_eq!(page("limit=3&offset=6").await, expected(6, 7, 3, false));
        assert_eq!(page("limit=7").await, expected(0, 7, 7, false));
        assert_eq!(page("offset=7").await, expected(7, 7, 50, false));
        for offset in ["9223372036854775807", "99999999999999999999999"] {
            assert_eq!(page(&format!("offset={offset}")).await["programs"], json!([]));
        }
        let mut newest_first = programs.clone();
        newest_first.reverse();
        assert_eq!(page("order=desc").await["programs"], json!(newest_first));
        assert_eq!(page("order=desc&limit=2&offset=1").await["programs"], json!(newest_first[1..3]));
    }

    async fn a_cursor_walks_in_either_direction(app: &TestApp) {
        let programs = seven(app).await;
        for order in ["asc", "desc"] {
            let mut wanted = programs.clone();
            if order == "desc" {
                wanted.reverse();
            }
            let mut seen: Vec<Value> = Vec::new();
            loop {
                let after = seen.last().map_or_else(String::new, |last| format!("&after={}", last["id"].as_str().expect("an id")));
                let page = app.get(&format!("/api/v1/programs?order={order}&limit=2{after}")).await.ok();
                seen.extend(page["programs"].as_array().expect("an array").clone());
                if page["has_more"] == json!(false) {
                    break;
                }
            }
            assert_eq!(seen, wanted, "{order}");
        }
    }

    async fn links_lead_to_the_neighbours(app: &TestApp) {
        let programs = seven(app).await;
        let url = app.app.public_url.clone();
        let first = app.get("/api/v1/programs?limit=3&status=active").await;
        assert_eq!(link(&first, "next"), Some(&*format!("{url}/api/v1/programs?status=active&limit=3&offset=3")));
        assert_eq!(link(&first, "prev"), None);
        let second = app.get("/api/v1/programs?limit=3&offset=2").await;
        assert_eq!(link(&second, "next"), Some(&*format!("{url}/api/v1/programs?limit=3&offset=5")));
        assert_eq!(link(&second, "prev"), Some(&*format!("{url}/api/v1/programs?limit=3&offset=0")));
        let (cursor, last) = (programs[0]["id"].as_str().expect("an id"), programs[2]["id"].as_str().expect("an id"));
        let walked = app.get(&format!("/api/v1/programs?limit=2&after={cursor}")).await;
        assert_eq!(link(&walked, "next"), Some(&*format!("{url}/api/v1/programs?limit=2&after={last}")));
        let mut next = Some("/api/v1/programs?limit=3".to_owned());
        let mut seen = Vec::new();
        while let Some(path) = next {
            let page = app.get(&path).await;
            seen.extend(page.ok()["programs"].as_array().expect("an array").clone());
            next = link(&page, "next").map(|link| link.trim_start_matches(&url).to_owned());
        }
        assert_eq!(seen, programs);
    }

    async fn nonsense_in_a_page_is_refused(app: &TestApp) {
        let limit = "limit must be a whole number, 1 or more";
        let offset = "offset must be a whole number, 0 or more";
        for (query, message) in [
            ("limit=0", limit), ("limit=-1", limit), ("limit=abc", limit), ("limit=", limit), ("limit=1.5", limit),
            ("limit=1e2", limit), ("limit=%2B5", limit), ("limit=5%00", limit),
            ("limit=NaN", limit), ("limit=\u{0661}", limit),
            ("offset=-1", offset), ("offset=x", offset), ("offset=", offset),
            ("order=up", "order must be one of asc, desc"), ("order=", "order must be one of asc, desc"),
            ("after=nonsense", "after must be an id from this list, prog_…"),
            ("after=ref_123abc", "after must be an id from this list, prog_…"),
            ("after=prog_%00", "after must be an id from this list, prog_…"),
            ("limit=1&limit=2", "limit must be given only once"),
            ("status=active&status=active", "status must be given only once"),
        ] {
            app.get(&format!("/api/v1/programs?{query}")).await.refused(400, message);
        }
        let both = app.get("/api/v1/programs?limit=x&offset=y&status=z").await.refused_with(400);
        assert_eq!(both["errors"].as_array().map(Vec::len), Some(3));
        app.get("/api/v1/programs?unknown=1&unknown=2&_=%ff&=&&x").await.ok();
    }
}

on_both! {
    with [("HANDBILL_MAX_PAGE_SIZE", "5")] =>
    async fn a_larger_limit_is_clamped_to_the_configured_maximum(app: &TestApp) {
        let programs = seven(app).await;
        for limit in [
            "6",
            "1000",
            "9223372036854775807",
            "99999999999999999999999",
        ] {
            let page = app
                .get(&format!("/api/v1/programs?limit={limit}"))
                .await
                .ok();
            assert_eq!(page["limit"], 5);
            assert_eq!(page["programs"], json!(programs[..5]));
            assert_eq!(page["has_more"], true);
        }
    }
}

on_both! {
    async fn a_thousand_rows_come_in_one_page_and_no_more(app: &TestApp) {
        let poster = app.a_poster().await;
        for _ in 0..1003 {
            app.a_scan_of(&poster).await;
        }
        let page = app.get("/api/v1/impressions?limit=100000").await.ok();
        assert_eq!(page["limit"], 1000);
        assert_eq!(page["impressions"].as_array().map(Vec::len), Some(1000));
        assert_eq!(page["has_more"], true);
    }
}
