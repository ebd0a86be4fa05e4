//! Words to arrange a story with. Each makes one thing through the API and returns it.

use serde_json::{Value, json};

use super::Caller;

impl Caller {
    pub async fn a_program(&self) -> Value {
        let body = json!({
            "name": "Campus launch", "landing_url": "https://example.com/join?utm_source=poster",
            "commission_rate": 10, "payout_currency": "USD",
        });
        self.post("/api/v1/programs", body).await.ok()
    }

    pub async fn a_student_of(&self, program: &Value) -> Value {
        let body = json!({
            "program_id": program["id"], "first_name": "Carol", "last_name": "Example", "email": "carol@example.com",
        });
        self.post("/api/v1/users", body).await.ok()
    }

    pub async fn a_poster_of(&self, student: &Value) -> Value {
        let body = json!({ "student_id": student["id"], "location": "Library" });
        self.post("/api/v1/posters", body).await.ok()
    }

    /// A poster, and everything above it.
    pub async fn a_poster(&self) -> Value {
        let program = self.a_program().await;
        let student = self.a_student_of(&program).await;
        self.a_poster_of(&student).await
    }

    pub async fn a_scan_of(&self, poster: &Value) -> Value {
        self.post("/api/v1/impressions", json!({ "poster_id": poster["id"] }))
            .await
            .ok()
    }

    /// A scan, and everything above it.
    pub async fn a_scan(&self) -> Value {
        let poster = self.a_poster().await;
        self.a_scan_of(&poster).await
    }

    pub async fn a_referral_from(&self, scan: &Value) -> Value {
        self.post("/api/v1/referrals", a_signup(scan)).await.ok()
    }

    /// A referral, and everything above it.
    pub async fn a_referral(&self) -> Value {
        let scan = self.a_scan().await;
        self.a_referral_from(&scan).await
    }

    pub async fn an_earning_of(&self, referral: &Value) -> Value {
        let body = json!({ "referral_id": referral["id"], "amount": 550 });
        self.post("/api/v1/earnings", body).await.ok()
    }

    /// An earning, and everything above it.
    pub async fn an_earning(&self) -> Value {
        let referral = self.a_referral().await;
        self.an_earning_of(&referral).await
    }

    /// Everything in a list, by the published paging loop.
    pub async fn all(&self, list: &str) -> Vec<Value> {
        self.all_of(list, list).await
    }

    /// The same, of a list whose envelope names it otherwise than its path does.
    pub async fn all_of(&self, path: &str, list: &str) -> Vec<Value> {
        let page = self.get(&format!("/api/v1/{path}?limit=1000")).await.ok();
        page[list].as_array().expect("an array").clone()
    }
}

/// The body of a signup.
pub fn a_signup(scan: &Value) -> Value {
    json!({
        "impression_id": scan["id"], "first_name": "John", "last_name": "Doe", "email": "john.doe@example.com",
        "metadata": { "source": "poster_qr_code" },
    })
}
