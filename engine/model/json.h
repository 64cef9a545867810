// JSON (RFC 8259): a strict reader and a writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "vgg19/error.h"

namespace vgg19::model {

class JsonWriter;

/// A value has another type than was asked for.
class JsonTypeError : public Error {
    using Error::Error;
};

/// A JSON value. Objects keep their members' order.
class Json {
  public:
    using Array = std::vector<Json>;
    using Member = std::pair<std::string, Json>;
    using Object = std::vector<Member>;

    Json() = default;
    Json(std::nullptr_t) {}
    Json(bool value) : value_(value) {}
    Json(double value) : value_(value) {}
    Json(int value) : value_(std::int64_t{value}) {}
    Json(std::int64_t value) : value_(value) {}
    Json(std::uint64_t value) : value_(value) {}
    Json(const char* value) : value_(std::string(value)) {}
    Json(std::string_view value) : value_(std::string(value)) {}
    Json(std::string value) : value_(std::move(value)) {}
    Json(Array value) : value_(std::move(value)) {}
    Json(Object value) : value_(std::move(value)) {}

    /// Reads one value; only white space may follow. Rejects everything that RFC 8259 forbids, invalid UTF-8,
    /// repeated keys and nesting deeper than 64. Throws Error (bad_input): "NAME: byte OFFSET: expected …,
    /// found …".
    static Json parse(std::string_view text, std::string_view name);

    /// indent 0 writes a single line. Numbers get enough digits to read back unchanged; NaN and infinity
    /// become null.
    std::string dump(int indent = 0) const;

    bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
    bool is_object() const { return std::holds_alternative<Object>(value_); }
    bool is_array() const { return std::holds_alternative<Array>(value_); }
    bool is_string() const { return std::holds_alternative<std::string>(value_); }
    bool is_number() const;
    bool is_bool() const { return std::holds_alternative<bool>(value_); }

    /// These throw JsonTypeError (bad_input) if the value has another type.
    const Object& object() const;
    const Array& array() const;
    const std::string& string() const;
    double number() const;
    bool boolean() const;
    /// A non-negative whole number that fits.
    std::uint64_t size() const;

    /// The member with this name; null if there is none or this is not an object.
    const Json* find(std::string_view key) const;
    /// Appends a member to an object (a null value becomes an object). Returns *this, for chained calls.
    Json& set(std::string key, Json value);
    /// Appends an element to an array (a null value becomes an array). Returns *this.
    Json& push(Json value);

  private:
    friend class JsonWriter;

    /// A value is of another type than was asked for.
    class JsonTypeError : public Error {
        using Error::Error;
    };

    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>
        value_;
};

}  // namespace vgg19::model
