//! Nothing is generated: cargo asks for this file to know when to rebuild.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}
