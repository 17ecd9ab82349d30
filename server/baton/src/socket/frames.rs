//! `Content-Length` frames, as LSP has them: on standard streams and on the local socket.

use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

/// A larger message is skipped and answered with an error.
pub const FRAME_BYTES_MAX: u64 = 64 << 20;
/// All header lines of one frame together.
const HEADER_BYTES_MAX: u64 = 4 << 10;

/// What one look at the input gave.
pub enum Frame {
    Body(Vec<u8>),
    TooLarge(u64),
    End,
    Broken(String),
}

/// Reads one frame; one of more than `bytes_max` is skipped. Cancel-safe only in that a cancelled read is never followed by another.
pub async fn read_frame<R: AsyncRead + Unpin>(input: &mut BufReader<R>, bytes_max: u64) -> Frame {
    let mut length = None;
    let mut left = HEADER_BYTES_MAX;
    loop {
        let mut line = Vec::new();
        match (&mut *input).take(left).read_until(b'\n', &mut line).await {
            Err(_) | Ok(0) => return Frame::End,
            Ok(n) => left = left.saturating_sub(n as u64),
        }
        if !line.ends_with(b"\n") {
            return if left == 0 {
                Frame::Broken("header lines are too long".into())
            } else {
                Frame::End
            };
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                match value.trim().parse::<u64>() {
                    Ok(n) => length = Some(n),
                    Err(_) => return Frame::Broken("content-length is no number".into()),
                }
            }
            Some(_) => (),
            None => return Frame::Broken("a header line without a colon".into()),
        }
    }
    match length {
        None => Frame::Broken("a frame without content-length".into()),
        Some(bytes) if bytes_max < bytes => skip(input, bytes).await,
        Some(bytes) => {
            let mut body = Vec::new();
            match (&mut *input).take(bytes).read_to_end(&mut body).await {
                Ok(n) if n as u64 == bytes => Frame::Body(body),
                Ok(_) | Err(_) => Frame::End,
            }
        }
    }
}

async fn skip<R: AsyncRead + Unpin>(input: &mut BufReader<R>, bytes: u64) -> Frame {
    let mut rest = (&mut *input).take(bytes);
    match tokio::io::copy(&mut rest, &mut tokio::io::sink()).await {
        Ok(n) if n == bytes => Frame::TooLarge(bytes),
        Ok(_) | Err(_) => Frame::End,
    }
}

/// A message as a frame.
pub fn frame<T: Serialize>(message: &T) -> Vec<u8> {
    let body = serde_json::to_vec(message).unwrap_or_else(|why| {
        tracing::error!(%why, "a message could not be written as JSON");
        br#"{"jsonrpc":"2.0","method":"$/lost"}"#.to_vec()
    });
    let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    frame.extend_from_slice(&body);
    frame
}
