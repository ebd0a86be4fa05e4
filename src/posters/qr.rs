//! Draws a poster's QR code. Error correction level Q survives a quarter of the code being torn or dirty,
//! which is what happens to paper on a wall; the quiet zone of four modules is the standard's.

use fast_qr::convert::Builder;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder, QRCode};

use crate::error::Error;

/// Modules of white around the code, as ISO/IEC 18004 asks.
const QUIET_ZONE: usize = 4;
/// Pixels per module in a PNG: about 400 pixels for a usual URL, sharp in print up to a hand's width.
const MODULE_PIXELS: usize = 12;

/// The code for `text` as an SVG document.
pub fn svg(text: &str) -> Result<String, Error> {
    let code = encode(text)?;
    Ok(SvgBuilder::default().margin(QUIET_ZONE).to_str(&code))
}

/// The code for `text` as a black-and-white PNG.
pub fn png(text: &str) -> Result<Vec<u8>, Error> {
    let code = encode(text)?;
    let side = (code.size + 2 * QUIET_ZONE) * MODULE_PIXELS;
    let width = u32::try_from(side).map_err(Error::internal)?;
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, width);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().map_err(Error::internal)?;
    writer
        .write_image_data(&pixels(&code, side))
        .map_err(Error::internal)?;
    writer.finish().map_err(Error::internal)?;
    Ok(file)
}

fn encode(text: &str) -> Result<QRCode, Error> {
    QRBuilder::new(text)
        .ecl(ECL::Q)
        .build()
        .map_err(|error| Error::internal(format!("a QR code cannot hold a URL: {error:?}")))
}

/// One bit per pixel, 1 is white, each row padded to whole bytes.
fn pixels(code: &QRCode, side: usize) -> Vec<u8> {
    let stride = side.div_ceil(8);
    let mut rows = vec![0xFF; stride * side];
    for y in 0..side {
        for x in 0..side {
            let module = |at: usize| {
                (at / MODULE_PIXELS)
                    .checked_sub(QUIET_ZONE)
                    .filter(|at| *at < code.size)
            };
            if let (Some(row), Some(column)) = (module(y), module(x))
                && code[row][column].value()
            {
                rows[y * stride + x / 8] &= !(0x80 >> (x % 8));
            }
        }
    }
    rows
}
