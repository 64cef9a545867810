// Reads JSON (RFC 8259) from front to back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "engine/model/json.h"

namespace vgg19::model {

/// Passes on one value after the other and keeps none of them, so that whoever reads a text of unknown origin
/// decides what its memory is spent on, and can refuse the text at the first wrong value. Every function
/// throws Error (bad_input), "NAME: byte OFFSET: expected …, found …", for what Json::parse rejects.
class JsonReader {
  public:
    enum class Kind : unsigned char { null, boolean, number, string, array, object };

    /// Both texts must outlive the reader. `name` begins its messages.
    JsonReader(std::string_view text, std::string_view name) : text_(text), name_(name) {}

    /// The kind of the value that comes next, from its first character.
    Kind next();

    // Each reads one value, of the kind that next() must have found.
    std::string string();
    /// Calls `read_value` with each key; it must read the value that belongs to it. The key is gone after the
    /// call. Takes 24 bytes for each member meanwhile, to find keys that occur twice.
    void object(const std::function<void(std::string& key)>& read_value);
    /// Calls `read_element` before each element, which it must read.
    void array(const std::function<void()>& read_element);

    /// A value of any kind, with all that it holds; or what next() found, without keeping it.
    Json value();
    void skip();

    /// Checks that nothing but white space follows.
    void end();

  private:
    struct Key {
        std::string_view text;
        std::size_t offset = 0;
    };
    using Keys = std::deque<Key>;

    [[noreturn]] void fail_at(std::size_t offset, std::string_view expected, std::string_view found) const;
    [[noreturn]] void fail(std::string_view expected) const { fail_at(at_, expected, found_here()); }
    std::string found_here() const;

    /// The next character, or NUL at the end, which no rule of the grammar accepts.
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool accept(char c);
    void skip_white_space();
    void skip_digits();
    void open();
    void reject_repeated_keys(Keys& keys) const;

    Json scalar(Kind kind);
    Json array_value();
    Json object_value();
    Json word(std::string_view word, Json value);
    void read_escape(std::string& value);
    std::uint32_t read_code_point();
    std::uint32_t read_four_digits();
    Json number();
    Json number_of(std::string_view digits, std::size_t start, bool whole) const;

    std::string_view text_;
    std::string_view name_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

}  // namespace vgg19::model
