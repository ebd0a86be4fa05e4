//! `handbill demo`: the published documents' requests run unchanged against it, by curl itself.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A running demo; it is stopped when this is dropped.
struct Demo {
    process: Child,
    /// Held open: a program whose reader has gone is another story.
    _output: Lines<BufReader<ChildStdout>>,
    base: String,
    printed: String,
}

impl Demo {
    #[expect(
        clippy::zombie_processes,
        reason = "it is waited for when it is dropped"
    )]
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_handbill"))
            .arg("demo")
            .env_remove("DATABASE_URL")
            .env("HANDBILL_BIND", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let mut printed = String::new();
        loop {
            let line = lines.next().expect("more lines").expect("a line");
            printed.push_str(&line);
            printed.push('\n');
            if let Some((_, url)) = line.split_once("Read and try everything: ") {
                let base = url.trim_end_matches("/docs").to_owned();
                return Self {
                    process,
                    _output: lines,
                    base,
                    printed,
                };
            }
        }
    }

    /// Runs a curl line in a shell, with only the host changed to where this demo listens.
    fn run(&self, line: &str) -> String {
        let line = line
            .replace("https://vantio.app", &self.base)
            .replace("https://api.vinr.com", &self.base)
            .replace("http://localhost:3000", &self.base)
            .replacen("curl ", "curl --silent --show-error --noproxy '*' ", 1);
        // The server listens when it says so a moment later; curl knows how to wait.
        let line = line.replacen(
            "curl ",
            "curl --retry 20 --retry-connrefused --retry-delay 1 ",
            1,
        );
        let output = Command::new("sh")
            .args(["-c", &line])
            .env("VINR_SECRET_KEY", "sk_test_your_secret_key_here")
            .output()
            .expect("a shell");
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    }

    fn json(&self, line: &str) -> Value {
        let text = self.run(line);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // As with Ctrl-C, so that it takes its folder with it.
        let _ = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let _ = self.process.wait();
    }
}

#[test]
fn the_published_curl_lines_run_unchanged() {
    let demo = Demo::start();

    let all = demo.json(
        r#"curl -X GET "http://localhost:3000/api/v1/referrals" \
  -H "Authorization: Bearer sk_your_secret_key_here""#,
    );
    let ids: Vec<&Value> = all["referrals"]
        .as_array()
        .expect("referrals")
        .iter()
        .map(|r| &r["id"])
        .collect();
    assert_eq!(ids[..2], [&json!("ref_123abc"), &json!("ref_789ghi")]);

    let converted = demo.json(
        r#"curl -X GET "http://localhost:3000/api/v1/referrals?programId=prog_123abc&status=converted&limit=100" \
  -H "Authorization: Bearer sk_your_secret_key_here""#,
    );
    let converted = converted["referrals"].as_array().expect("referrals");
    assert!(converted.len() > 2 && converted.iter().all(|r| r["status"] == "converted"));

    let of_one = demo.json(
        r#"curl -X GET "http://localhost:3000/api/v1/referrals?studentId=user_123abc" \
  -H "Authorization: Bearer sk_your_secret_key_here""#,
    );
    let of_one = of_one["referrals"].as_array().expect("referrals");
    assert!(of_one.len() > 2 && of_one.iter().all(|r| r["student_id"] == "user_123abc"));

    let one = demo.json(
        r#"curl -X GET "http://localhost:3000/api/v1/referrals/ref_123abc" \
  -H "Authorization: Bearer sk_your_secret_key_here""#,
    );
    for (key, value) in [
        ("impression_id", "imp_456def"),
        ("first_name", "Alice"),
        ("last_name", "Johnson"),
        ("email", "alice.johnson@example.com"),
        ("status", "converted"),
        ("program_id", "prog_123abc"),
        ("student_id", "user_123abc"),
        ("created_at", "2024-01-15T10:30:00Z"),
        ("verified_at", "2024-01-16T14:20:00Z"),
    ] {
        assert_eq!(one[key], value, "{key}");
    }
    assert_eq!(
        one["metadata"],
        json!({ "source": "poster_qr_code", "location": "campus_center" })
    );

    let create = r#"curl -X POST "https://vantio.app/api/v1/referrals" \
    -H "Authorization: Bearer sk_your_secret_key_here" \
    -H "Content-Type: application/json" \
    -d '{
      "impression_id": "imp_123abc",
      "first_name": "John",
      "last_name": "Doe",
      "email": "john.doe@example.com",
      "profile_picture": "https://example.com/profiles/john-doe.jpg",
      "metadata": {
        "source": "poster_qr_code",
        "location": "campus_center"
      },
      "idempotency_key": "ref_20240115_123456"
    }'"#;
    let created = demo.json(create);
    assert_eq!(created["status"], "pending");
    assert_eq!(
        (&created["program_id"], &created["student_id"]),
        (&json!("prog_123abc"), &json!("user_123abc"))
    );
    assert_eq!(demo.json(create), created, "a retry is the same referral");
}

#[test]
fn the_other_published_curl_lines_run_unchanged() {
    let demo = Demo::start();
    let created = demo.json(
        r#"curl -X POST https://api.vinr.com/v1/referrals \
-H "X-Api-Key: $VINR_SECRET_KEY" \
-d referrer_customer=cust_8aZ2 \
-d referred_customer=cust_9bY3"#,
    );
    for (key, value) in [
        ("referrer_customer", json!("cust_8aZ2")),
        ("referred_customer", json!("cust_9bY3")),
        ("status", json!("pending")),
        ("reward_amount", json!(null)),
    ] {
        assert_eq!(created[key], value, "{key}");
    }
    let one = demo.json(
        r#"curl https://api.vinr.com/v1/referrals/ref_2Dm5kW \
-H "X-Api-Key: $VINR_SECRET_KEY""#,
    );
    let rewarded = json!({
        "id": "ref_2Dm5kW", "referrer_customer": "cust_8aZ2", "referred_customer": "cust_7cX4", "status": "rewarded",
        "reward_amount": 1000, "created": 1_716_300_000,
    });
    assert_eq!(one, rewarded);
    let all = demo.json(
        r#"curl "https://api.vinr.com/v1/referrals?referrer_customer=cust_8aZ2&limit=10" \
-H "X-Api-Key: $VINR_SECRET_KEY""#,
    );
    assert_eq!(all["data"], json!([created, rewarded]), "newest first");
}

#[test]
fn the_lines_it_prints_work() {
    let demo = Demo::start();
    let printed = demo.printed.replace("\\\n", "");
    let lines: Vec<&str> = printed
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("curl "))
        .collect();
    assert_eq!(lines.len(), 8, "{printed}");
    let scanned = demo.run(lines[0]);
    assert!(scanned.starts_with("HTTP/1.1 302"), "{scanned}");
    for line in &lines[1..] {
        let answer = demo.json(line);
        assert!(answer.get("error").is_none(), "{line}: {answer}");
    }
    let verified = demo.json(lines[4]);
    assert_eq!(verified["status"], "verified");
}

#[test]
fn the_story_is_whole() {
    let demo = Demo::start();
    let count = |list: &str, query: &str| {
        let line = format!(
            "curl \"http://localhost:3000/api/v1/{list}?limit=1000&{query}\" -H \"Authorization: Bearer sk_your_secret_key_here\""
        );
        demo.json(&line)[list].as_array().expect("a list").len()
    };
    assert_eq!(count("users", ""), 2);
    assert_eq!(count("posters", ""), 6);
    assert_eq!(count("impressions", ""), 163);
    for status in ["pending", "converted", "verified", "rejected"] {
        assert!(
            count("referrals", &format!("status={status}")) > 0,
            "{status}"
        );
    }
    for status in ["pending", "processing", "paid"] {
        assert!(
            count("earnings", &format!("status={status}")) > 0,
            "{status}"
        );
    }
}
