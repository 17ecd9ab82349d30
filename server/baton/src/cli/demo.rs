//! Stub.
pub async fn demo(_: &super::Screen, _: &super::args::Demo) -> Result<u8, super::open::Trouble> {
    Ok(0)
}
