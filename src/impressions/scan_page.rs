//! What a phone shows when its scan leads nowhere: a small page for a person, never JSON, with nothing
//! fetched from anywhere.

macro_rules! page {
    ($title:literal, $text:literal) => {
        concat!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
            "<meta name=\"robots\" content=\"noindex\">\n<title>",
            $title,
            "</title>\n<style>\n",
            ":root{color-scheme:light dark}\n",
            "body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;",
            "font:18px/1.5 system-ui,sans-serif;background:#f6f5f1;color:#22211d}\n",
            "main{max-width:26rem;padding:2rem}\n",
            "h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}\np{margin:0}\n",
            "@media (prefers-color-scheme:dark){body{background:#1c1b19;color:#eceae4}}\n",
            "</style>\n</head>\n<body>\n<main>\n<h1>",
            $title,
            "</h1>\n<p>",
            $text,
            "</p>\n</main>\n</body>\n</html>\n"
        )
    };
}

/// No poster that hangs has the code.
pub const NOT_FOUND: &str = page!(
    "This poster is no longer active",
    "The code you scanned does not lead anywhere any more. If you typed it, please check it once again."
);

/// The database is away.
pub const TRY_AGAIN: &str = page!(
    "Please scan again in a moment",
    "We could not look up this poster right now. It is not your phone: please try again shortly."
);
