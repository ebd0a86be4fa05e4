//! `/api/v1/posters`, and the QR images.

use std::collections::HashSet;

use serde_json::json;

use crate::support::on_both;

on_both! {
    async fn a_poster_has_the_published_keys_and_a_code_of_its_own(app: &TestApp) {
        let program = app.a_program().await;
        let student = app.a_student_of(&program).await;
        let body = json!({
            "program_id": program["id"], "student_id": student["id"], "location": "Gym - Notice board",
            "metadata": { "poster_type": "standard", "placement_date": "2024-03-01" },
        });
        let poster = app.post("/api/v1/posters", body).await.ok();
        let code = poster["code"].as_str().expect("a code");
        assert_eq!(poster, json!({
            "id": poster["id"], "program_id": program["id"], "student_id": student["id"], "code": code,
            "scan_url": format!("{}/q/{code}", app.app.public_url),
            "qr_code_url": format!("{}/qr/{code}.png", app.app.public_url),
            "location": "Gym - Notice board", "landing_url": null, "status": "active",
            "created_at": "2024-03-01T09:00:00Z", "updated_at": "2024-03-01T09:00:00Z",
            "metadata": { "poster_type": "standard", "placement_date": "2024-03-01" },
        }));
        let path = format!("/api/v1/posters/{}", poster["id"].as_str().expect("an id"));
        assert_eq!(app.get(&path).await.ok(), poster);
    }

    async fn codes_are_unique_and_easy_to_type(app: &TestApp) {
        let program = app.a_program().await;
        let student = app.a_student_of(&program).await;
        let mut codes = HashSet::new();
        for _ in 0..50 {
            let poster = app.a_poster_of(&student).await;
            let code = poster["code"].as_str().expect("a code").to_owned();
            assert!(code.len() <= 10 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()), "{code}");
            assert!(!code.contains(['0', 'O', '1', 'I', 'L', '2', 'Z', '5', 'S', '8', 'B']), "{code}");
            assert!(codes.insert(code));
        }
    }

    async fn a_poster_belongs_to_its_students_program(app: &TestApp) {
        let (one, two) = (app.a_program().await, app.a_program().await);
        let student = app.a_student_of(&one).await;
        let mismatch = json!({ "program_id": two["id"], "student_id": student["id"] });
        app.post("/api/v1/posters", mismatch).await
            .refused(400, "program_id is not the program of the user in student_id");
        app.post("/api/v1/posters", json!({ "student_id": "user_unknown" })).await
            .refused(400, "Invalid student_id: no such user");
        app.post("/api/v1/posters", json!({ "student_id": student["id"], "program_id": "prog_unknown" })).await
            .refused(400, "Invalid program_id: no such program");
        app.post("/api/v1/posters", json!({})).await.refused(400, "Missing required field: student_id");
        assert!(app.all("posters").await.is_empty(), "nothing was stored");
    }

    async fn posters_are_filtered_by_program_student_and_status(app: &TestApp) {
        let program = app.a_program().await;
        let (carol, dave) = (app.a_student_of(&program).await, app.a_student_of(&program).await);
        let first = app.a_poster_of(&carol).await;
        let second = app.a_poster_of(&dave).await;
        let get = async |query: String| app.get(&format!("/api/v1/posters?{query}")).await.ok()["posters"].clone();
        let (program, dave) = (program["id"].as_str().expect("an id"), dave["id"].as_str().expect("an id"));
        assert_eq!(get(format!("programId={program}")).await, json!([first, second]));
        assert_eq!(get(format!("studentId={dave}")).await, json!([second]));
        assert_eq!(get(format!("student_id={dave}&program_id={program}")).await, json!([second]));
        assert_eq!(get(format!("studentId={dave}&programId=undefined")).await, json!([]));
        assert_eq!(get("status=retired".to_owned()).await, json!([]));
    }

    async fn a_poster_can_move_be_retired_and_be_put_back_up(app: &TestApp) {
        let poster = app.a_poster().await;
        let path = format!("/api/v1/posters/{}", poster["id"].as_str().expect("an id"));
        let scan = format!("/q/{}", poster["code"].as_str().expect("a code"));
        let moved = app.put(&path, json!({ "location": "Gym", "landing_url": "https://example.com/gym" })).await.ok();
        assert_eq!((&moved["location"], &moved["code"]), (&json!("Gym"), &poster["code"]));
        let retired = app.put(&path, json!({ "status": "retired" })).await.ok();
        assert_eq!(retired["status"], "retired");
        assert_eq!(app.nobody().get(&scan).await.status, 404);
        assert_eq!(app.nobody().get(&format!("/qr/{}.svg", poster["code"].as_str().expect("a code"))).await.status, 200);
        app.put(&path, json!({ "status": "active", "landing_url": null })).await.ok();
        let answer = app.nobody().get(&scan).await;
        assert!(answer.header("location").is_some_and(|url| url.starts_with("https://example.com/join?")));
        app.put(&path, json!({ "status": "burnt" })).await.refused(400, "status must be one of active, retired");
        app.put(&path, json!({ "landing_url": "javascript:alert(1)" })).await
            .refused(400, "landing_url must be an absolute http:// or https:// URL");
    }

    async fn the_images_say_the_scan_url_to_another_reader(app: &TestApp) {
        let poster = app.a_poster().await;
        let url = poster["scan_url"].as_str().expect("a URL");
        let path = poster["qr_code_url"].as_str().expect("a URL").trim_start_matches(&app.app.public_url).to_owned();
        let png = app.nobody().get(&path).await;
        assert_eq!(png.header("content-type"), Some("image/png"));
        assert_eq!(png.header("cross-origin-resource-policy"), Some("cross-origin"));
        assert_eq!(read_png(&png.bytes), url);
        let svg = app.nobody().get(&path.replace(".png", ".svg")).await;
        assert_eq!(svg.header("content-type"), Some("image/svg+xml"));
        assert_eq!(read_svg(&svg.text()), url);
        let lower = app.nobody().get(&path.to_lowercase()).await;
        assert_eq!(lower.bytes, png.bytes, "a code in lower case is the same code");
    }

    async fn an_image_of_no_poster_is_a_404(app: &TestApp) {
        for path in ["/qr/XXXXXXXXXX.png", "/qr/x.svg", "/qr/%00.png", "/qr/%2F.svg"] {
            app.nobody().get(path).await.refused(404, "Poster not found");
        }
        app.nobody().get("/qr/XXXXXXXXXX.gif").await.refused_with(404);
    }
}

fn read_png(bytes: &[u8]) -> String {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let frame = reader.next_frame(&mut pixels).expect("a frame");
    let width = frame.width as usize;
    decode(width, frame.height as usize, |x, y| pixels[y * width + x])
}

fn read_svg(text: &str) -> String {
    let tree = resvg::usvg::Tree::from_str(text, &resvg::usvg::Options::default()).expect("an SVG");
    let scale = 8.0;
    let side = tree.size().to_int_size().width() * 8;
    let mut picture = resvg::tiny_skia::Pixmap::new(side, side).expect("a picture");
    picture.fill(resvg::tiny_skia::Color::WHITE);
    let transform = resvg::tiny_skia::Transform::from_scale(scale, scale);
    resvg::render(&tree, transform, &mut picture.as_mut());
    let data = picture.data();
    decode(side as usize, side as usize, |x, y| {
        data[(y * side as usize + x) * 4]
    })
}

/// By a library that has nothing in common with the one that draws.
fn decode(width: usize, height: usize, grey: impl Fn(usize, usize) -> u8) -> String {
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let codes = image.detect_grids();
    assert_eq!(codes.len(), 1, "one QR code in the picture");
    codes[0].decode().expect("a readable code").1
}
