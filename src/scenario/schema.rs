//! The JSON Schema of scenario files, made from the tables of keys that the reader itself uses.
//!
//! It says what one value alone can say; what values have to do with each other stays with the
//! reader.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::file::FILE;
use super::limits;
use super::shape::{Field, Kind, Named};

const DURATION: &str = r"^\s*[0-9]+(\.[0-9]+)?\s*(ns|us|ms|s|m|h)\s*$";
const SIZE: &str = r"^\s*[0-9]+(\.[0-9]+)?\s*(b|kb|mb|gb)\s*$";

/// The JSON Schema (draft 2020-12) of scenario files.
pub fn schema() -> Value {
    let mut definitions = Definitions::default();
    let mut schema = definitions.of(&FILE);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "acksim scenario".into();
    let done: Map<String, Value> = definitions
        .done
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    schema["$defs"] = Value::Object(done);
    schema
}

/// Kinds with a name of their own, which may be used before they are finished.
#[derive(Default)]
struct Definitions {
    done: BTreeMap<&'static str, Value>,
}

impl Definitions {
    fn of(&mut self, kind: &'static Kind) -> Value {
        match kind {
            Kind::Any => json!({}),
            Kind::Text => json!({"type": "string"}),
            Kind::Name => name(json!({})),
            Kind::FolderName => name(json!({"pattern": r"^[^./\\:][^/\\:]*$"})),
            Kind::Destination => {
                json!({"type": "string", "pattern": r"^(queue|topic)://[^?,*>]+(\?.*)?$"})
            }
            Kind::Url => json!({"type": "string", "pattern": r"^[a-z+]+:[^\s]*$"}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Choice(choices) => json!({"enum": choices}),
            Kind::Whole { least, most } => whole(*least, *most),
            Kind::Number { above, most } => number(*above, *most),
            Kind::Chance => json!({"type": "number", "minimum": 0, "maximum": 1}),
            Kind::Duration | Kind::PositiveDuration => {
                json!({"type": "string", "pattern": DURATION})
            }
            Kind::Millis { least } => {
                let duration = json!({"type": "string", "pattern": DURATION});
                json!({"anyOf": [whole(*least, limits::MILLISECONDS), duration]})
            }
            Kind::Size { least, most } => {
                let bytes = whole(i64::try_from(*least).unwrap_or(i64::MAX), *most);
                json!({"anyOf": [bytes, {"type": "string", "pattern": SIZE}]})
            }
            Kind::Object(fields) => self.object(fields),
            Kind::OneOf(fields) => {
                let mut schema = self.object(fields);
                schema["minProperties"] = 1.into();
                schema["maxProperties"] = 1.into();
                schema
            }
            Kind::Map(of) => json!({"type": "object", "additionalProperties": self.of(of)}),
            Kind::MapBeside { fields, others } => {
                let mut schema = self.object(fields);
                schema["additionalProperties"] = self.of(others);
                schema
            }
            Kind::List { of, least, most } => {
                json!({"type": "array", "items": self.of(of), "minItems": least, "maxItems": most})
            }
            Kind::Either(kinds) => {
                let each: Vec<Value> = kinds.iter().map(|kind| self.of(kind)).collect();
                json!({"anyOf": each})
            }
            Kind::Named(named) => self.reference(named),
        }
    }

    fn reference(&mut self, named: &'static Named) -> Value {
        if !self.done.contains_key(named.name) {
            self.done.insert(named.name, Value::Null);
            let schema = self.of(&named.kind);
            self.done.insert(named.name, schema);
        }
        json!({"$ref": format!("#/$defs/{}", named.name)})
    }

    fn object(&mut self, fields: &'static [Field]) -> Value {
        let properties: Map<String, Value> = fields
            .iter()
            .map(|field| (field.key.to_owned(), self.field(field)))
            .collect();
        let required: Vec<&str> = fields
            .iter()
            .filter(|field| field.required)
            .map(|field| field.key)
            .collect();
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }

    fn field(&mut self, field: &'static Field) -> Value {
        let mut schema = self.of(&field.kind);
        schema["description"] = match field.unused {
            true => format!("Without effect: {}.", field.about).into(),
            false => field.about.into(),
        };
        if let Ok(default) = serde_json::from_str::<Value>(field.default) {
            schema["default"] = default;
        }
        schema
    }
}

fn name(more: Value) -> Value {
    let mut schema = more;
    schema["type"] = "string".into();
    schema["minLength"] = 1.into();
    schema["maxLength"] = limits::NAME_BYTES.into();
    schema
}

fn whole(least: i64, most: u64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}

fn number(above: f64, most: f64) -> Value {
    let mut schema = json!({"type": "number"});
    if above.is_finite() {
        schema["exclusiveMinimum"] = above.into();
    }
    if most < f64::MAX {
        schema["maximum"] = most.into();
    }
    schema
}
