//! Texts that break programs, through every text field that the OpenAPI document has.

use reqwest::Method;
use serde_json::json;

use crate::support::everything::one_of_each;
use crate::support::on_both;
use crate::support::operations::operations;

/// Texts of our own, by what they break.
const TEXTS: &[&str] = &[
    // Empty, blank, invisible.
    "",
    " ",
    "\t\n",
    "\u{a0}",
    "\u{200b}",
    "\u{feff}",
    "\u{2060}\u{200d}",
    "\u{ad}",
    // Ends of texts and lines.
    "a\0b",
    "\0",
    "a\nb",
    "a\r\nSet-Cookie: a=b",
    "a\u{2028}b",
    "a\u{85}b",
    "\u{1}\u{7f}",
    "\u{1b}[31mred",
    // Directions and marks.
    "\u{202e}gnirts",
    "\u{2066}a\u{2069}",
    "Z\u{351}\u{36b}\u{343}a\u{329}lgo",
    "e\u{301} \u{e9}",
    // Letters of many scripts, cases that change their length, look-alikes.
    "Łódź",
    "İstanbul",
    "straße STRASSE ẞ",
    "ﬁ ﬀ",
    "Ǆ ǅ ǆ",
    "раураl",
    "北京市",
    "ผู้ใช้",
    "محمد",
    "שלום",
    "नमस्ते",
    // Beyond the first plane, and its edges.
    "👩‍👩‍👧‍👦",
    "🇩🇪🏳️‍🌈",
    "𝒜𝓁𝒾𝒸𝑒",
    "\u{10ffff}",
    "\u{fffd}",
    "\u{ffff}",
    "\u{fdd0}",
    // Numbers and words that are something else elsewhere.
    "0",
    "-1",
    "1e309",
    "0x10",
    "NaN",
    "Infinity",
    "1,000.00",
    "٣",
    "½",
    "null",
    "undefined",
    "true",
    "None",
    "nil",
    "[object Object]",
    // Quotes, statements, templates, formulas, commands, paths.
    "'",
    "\"",
    "`",
    "''",
    "\\",
    "\\'",
    "O'Brien",
    "'; DROP TABLE referrals; --",
    "' OR '1'='1",
    "%",
    "_",
    "%s%n%x",
    "$1",
    "?",
    ":a",
    "{{7*7}}",
    "${7*7}",
    "<%= 7 %>",
    "#{7}",
    "=1+1",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "|cmd",
    "$(id)",
    "`id`",
    "; id",
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "file:///etc/passwd",
    "CON",
    "~root",
    // Markup and addresses.
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "<!--",
    "]]>",
    "&lt;&#0;&amp;",
    "javascript:alert(1)",
    "https://example.com\\@evil.example",
    "http://[::1]:99999/",
    "//evil.example",
    "https://exa mple.com",
    "https://ex\u{e4}mple.com/\u{e4}?ü#é",
    "a@b",
    "a@b.example",
    "\"a b\"@example.com",
    "a@[127.0.0.1]",
    "ä@exämple.example",
    "a@b.example\n",
    "a@@b.example",
    // Times.
    "2024-02-30T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2024-01-01",
    "2024-01-01T24:00:00Z",
    "+275760-09-13T00:00:00Z",
];

/// Those, and some that are long.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
    texts.extend(["x", "é", "👩", "\u{301}"].map(|letter| letter.repeat(5000)));
    texts.extend([254, 255, 256, 2000, 2001, 2048, 2049].map(|length| "a".repeat(length)));
    texts
}

on_both! {
    /// The caller holds every answer against the document, so an unknown status or a broken body fails here too.
    async fn no_text_breaks_any_field(app: &TestApp) {
        let own = one_of_each(app, "mine").await;
        let (mut sent, mut kept) = (0, 0);
        for operation in operations() {
            for field in operation.texts() {
                for text in texts() {
                    let answer = operation.send_text(app, &own, &field, &text).await;
                    let name = format!("{} {field} {:?}", operation.name, text.chars().take(40).collect::<String>());
                    assert!(answer.status < 500, "{name}: {}", answer.text());
                    sent += 1;
                    let is_shown = answer.status == 200 && answer.json()[&field].is_string();
                    if is_shown && operation.method == Method::PUT {
                        let shown = answer.json()[&field].as_str().expect("a text").to_owned();
                        let as_sent = shown == text || shown == text.trim();
                        let is_time = field.ends_with("_at");
                        let is_a_code = field == "coupon_prefix" && shown == text.trim().to_uppercase();
                        assert!(as_sent || is_time || is_a_code, "{name} became {shown:?}");
                        kept += 1;
                    }
                }
            }
        }
        assert!(sent > 3000 && kept > 300, "{sent} {kept}");
    }
}

on_both! {
    async fn no_text_breaks_any_parameter(app: &TestApp) {
        let own = one_of_each(app, "mine").await;
        let mut sent = 0;
        for operation in operations() {
            for place in operation.parameters() {
                for text in TEXTS {
                    let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
                    let answer = operation.send(app, &own, Some((&place, &text))).await;
                    assert!(answer.status < 500, "{} {place:?} {text}: {}", operation.name, answer.text());
                    sent += 1;
                }
            }
        }
        assert!(sent > 5000, "{sent}");
    }

    async fn what_is_named_again_and_again_is_named_once(app: &TestApp) {
        app.a_referral().await;
        let all = app.get("/api/v1/events").await.ok();
        let again = format!("/api/v1/events?types={}*", "*,".repeat(5000));
        assert_eq!(app.get(&again).await.ok(), all);
        let types = vec!["referral.*"; 5000];
        let body = json!({ "url": "https://example.com/hook", "types": types });
        let endpoint = app.post("/api/v1/webhook-endpoints", body).await.ok();
        assert_eq!(endpoint["types"], json!(["referral.*"]));
    }
}
