// JSON (RFC 8259): a strict reader and a writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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

/// A JSON value of 16 bytes and, unless it is empty, what a string, array or object holds. Objects keep their
/// members' order. Copying one without memory throws std::bad_alloc.
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
    Json(const char* value) : value_(Boxed(std::string(value))) {}
    Json(std::string_view value) : value_(Boxed(std::string(value))) {}
    Json(std::string value) : value_(Boxed(std::move(value))) {}
    Json(Array value) : value_(Boxed(std::move(value))) {}
    Json(Object value) : value_(Boxed(std::move(value))) {}

    /// Reads one value; only white space may follow. Rejects everything that RFC 8259 forbids, invalid UTF-8,
    /// repeated keys and nesting deeper than 64. Takes at most json_memory_factor bytes of memory for each of
    /// the text. Throws Error (bad_input): "NAME: byte OFFSET: expected …, found …".
    static Json parse(std::string_view text, std::string_view name);

    /// indent 0 writes a single line. Numbers get enough digits to read back unchanged; NaN and infinity
    /// become null.
    std::string dump(int indent = 0) const;

    bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
    bool is_object() const { return std::holds_alternative<Boxed<Object>>(value_); }
    bool is_array() const { return std::holds_alternative<Boxed<Array>>(value_); }
    bool is_string() const { return std::holds_alternative<Boxed<std::string>>(value_); }
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

    /// Something on the heap, which is copied with its owner. Unlike std::string and std::vector it may stand
    /// in a std::variant whose copies can run out of memory: libstdc++ takes a variant of those alone for one
    /// that always has a value, and destroys what was never made (a jump to anywhere).
    template <class T>
    class Boxed {
      public:
        Boxed(T value) : value_(value.empty() ? nullptr : std::make_unique<T>(std::move(value))) {}
        Boxed(const Boxed& other)
            : value_(other.value_ == nullptr ? nullptr : std::make_unique<T>(*other.value_)) {}
        Boxed(Boxed&& other) noexcept = default;
        Boxed& operator=(const Boxed& other) {
            if (this != &other) *this = Boxed(other);
            return *this;
        }
        Boxed& operator=(Boxed&& other) noexcept = default;
        ~Boxed() = default;

        const T& get() const {
            static const T empty;
            return value_ == nullptr ? empty : *value_;
        }
        T& edit() {
            if (value_ == nullptr) value_ = std::make_unique<T>();
            return *value_;
        }

      private:
        std::unique_ptr<T> value_;
    };

    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, Boxed<std::string>, Boxed<Array>,
                 Boxed<Object>>
        value_;
};

/// Bytes of memory, at most, that Json::parse takes for a byte of text, those of the value included. Most
/// texts need a tenth of it; arrays of arrays of nothing else come close.
inline constexpr std::size_t json_memory_factor = 32;

}  // namespace vgg19::model
