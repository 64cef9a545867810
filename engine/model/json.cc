#include "engine/model/json.h"

namespace vgg19::model {

namespace {

const char* type_name(const Json& json) {
    if (json.is_null()) return "null";
    if (json.is_bool()) return "a boolean";
    if (json.is_number()) return "a number";
    if (json.is_string()) return "a string";
    return json.is_array() ? "an array" : "an object";
}

[[noreturn]] void fail(const char* expected, const std::string& found) {
    throw JsonTypeError(ErrorKind::bad_input, std::string("expected ") + expected + ", found " + found);
}

}  // namespace

bool Json::is_number() const {
    return std::holds_alternative<std::int64_t>(value_) || std::holds_alternative<std::uint64_t>(value_) ||
           std::holds_alternative<double>(value_);
}

const Json::Object& Json::object() const {
    if (!is_object()) fail("an object", type_name(*this));
    return std::get<Boxed<Object>>(value_).get();
}

const Json::Array& Json::array() const {
    if (!is_array()) fail("an array", type_name(*this));
    return std::get<Boxed<Array>>(value_).get();
}

const std::string& Json::string() const {
    if (!is_string()) fail("a string", type_name(*this));
    return std::get<Boxed<std::string>>(value_).get();
}

double Json::number() const {
    if (const auto* with_sign = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*with_sign);
    if (const auto* without_sign = std::get_if<std::uint64_t>(&value_)) {
        return static_cast<double>(*without_sign);
    }
    if (const auto* real = std::get_if<double>(&value_)) return *real;
    fail("a number", type_name(*this));
}

bool Json::boolean() const {
    if (!is_bool()) fail("a boolean", type_name(*this));
    return std::get<bool>(value_);
}

std::uint64_t Json::size() const {
    if (const auto* with_sign = std::get_if<std::int64_t>(&value_); with_sign != nullptr && *with_sign >= 0) {
        return static_cast<std::uint64_t>(*with_sign);
    }
    if (const auto* without_sign = std::get_if<std::uint64_t>(&value_)) return *without_sign;
    fail("a whole number that is not negative", is_number() ? dump() : type_name(*this));
}

const Json* Json::find(std::string_view key) const {
    if (!is_object()) return nullptr;
    for (const auto& [name, value] : object()) {
        if (name == key) return &value;
    }
    return nullptr;
}

Json& Json::set(std::string key, Json value) {
    if (is_null()) value_ = Boxed(Object());
    static_cast<void>(object());  // has another type: throws the error
    std::get<Boxed<Object>>(value_).edit().emplace_back(std::move(key), std::move(value));
    return *this;
}

Json& Json::push(Json value) {
    if (is_null()) value_ = Boxed(Array());
    static_cast<void>(array());
    std::get<Boxed<Array>>(value_).edit().push_back(std::move(value));
    return *this;
}

}  // namespace vgg19::model
