//! Bytes into `mcp::handle`. What is made of them, and what a legal answer is, the fixture says.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcp_fixture::exchange::run(data));
