//! `Sql` over Durable Object storage.
//!
//! Owns the crossing: one text of parameters in, one text of rows out.

use base::error::Fault;
use gastown_mcp::objects::store::sql::{Sql, first_line};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Storage;

    #[wasm_bindgen(method, getter)]
    fn sql(this: &Storage) -> Database;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(this: &Storage, body: &mut dyn FnMut() -> Result<JsValue, JsValue>) -> Result<JsValue, JsValue>;

    type Database;

    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &Database, statement: &str, bindings: &js_sys::Array) -> Result<Cursor, JsValue>;

    type Cursor;

    #[wasm_bindgen(method, catch)]
    fn raw(this: &Cursor) -> Result<Rows, JsValue>;

    type Rows;

    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn to_array(this: &Rows) -> Result<js_sys::Array, JsValue>;
}

/// The database of one object.
pub(super) struct ObjectSql {
    storage: Storage,
    database: Database,
}

impl ObjectSql {
    pub(super) fn new(storage: &worker::Storage) -> Self {
        let raw: &JsValue = storage.as_raw().as_ref();
        let storage: Storage = raw.clone().unchecked_into();
        let database = storage.sql();
        Self { storage, database }
    }

    fn start(&self, statement: &str, params: &str) -> Result<Cursor, JsValue> {
        let bindings = match params {
            "null" | "[]" => js_sys::Array::new(),
            _ => js_sys::JSON::parse(params)?.unchecked_into(),
        };
        self.database.exec(statement, &bindings)
    }
}

impl Sql for ObjectSql {
    fn exec(&self, statement: &str, params: &str) -> Result<String, Fault> {
        let rows = self.start(statement, params).and_then(|cursor| cursor.raw()).and_then(|rows| rows.to_array());
        let rows = rows.map_err(|error| fault(statement, &error))?;
        if rows.length() == 0 {
            return Ok("[]".to_owned());
        }
        js_sys::JSON::stringify(&rows).map(String::from).map_err(|error| fault(statement, &error))
    }

    fn run(&self, statement: &str, params: &str) -> Result<(), Fault> {
        self.start(statement, params).map(drop).map_err(|error| fault(statement, &error))
    }

    fn transact(&self, body: &mut dyn FnMut() -> bool) -> Result<(), Fault> {
        let mut rolled_back = false;
        let outcome = self.storage.transaction_sync(&mut || {
            if body() {
                return Ok(JsValue::UNDEFINED);
            }
            rolled_back = true;
            Err(JsValue::from_str("rolled back"))
        });
        match outcome {
            Err(error) if !rolled_back => Err(Fault::new("transaction", describe(&error))),
            _ => Ok(()),
        }
    }
}

fn fault(statement: &str, error: &JsValue) -> Fault {
    Fault::new(first_line(statement), describe(error))
}

/// The message of a JavaScript error.
pub(super) fn describe(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{error:?}"), |error| String::from(error.message()))
}
