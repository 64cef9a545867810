// The virtual machine of the pickle reader: the effects of its operations.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "converter/import/byte_reader.h"
#include "converter/import/pickle.h"

namespace vgg19::converter {

/// A pickle's stack, marks and memo, and the building blocks of the operations. Every failing operation
/// throws Error (bad_input) with its name and offset.
class PickleMachine {
  public:
    using References = std::vector<PickleReference>;

    explicit PickleMachine(ByteReader& reader)
        : reader_(reader),
          begin_(reader.offset()),
          most_memo_(std::min(most_pickle_operations, reader.remaining())) {
        contents_.file = reader.name();
    }

    /// Reads and counts the next operation's code.
    std::uint8_t next_operation();
    /// For messages.
    void set_operation_name(std::string_view name) { operation_name_ = name; }
    /// To be called after STOP; exactly one value must be left.
    PickleContents take_contents();

    template <class T>
    T read() {
        return reader_.number<T>(operation_name_);
    }
    /// The length of the data that follows; a signed one must not be negative.
    template <class T>
    std::uint64_t read_length() {
        const T length = read<T>();
        if constexpr (std::is_signed_v<T>) {
            if (length < 0) fail("expected a length, found " + std::to_string(length));
        }
        return static_cast<std::uint64_t>(length);
    }
    void check_protocol();
    /// Creates a value and pushes it on the stack.
    PickleValue& push(PickleKind kind);
    void push_integer(std::int64_t integer) { push(PickleKind::integer).integer = integer; }
    void push_boolean(bool value) { push(PickleKind::boolean).integer = value ? 1 : 0; }
    void push_text(PickleKind kind, std::uint64_t length);
    void push_items(PickleKind kind, const References& items);
    /// Pushes a dict of the values above the last mark.
    void push_pairs();
    void push_long(std::uint64_t length);
    void push_real();
    PickleReference pop();
    PickleReference top();
    References pop_count(std::size_t count);
    References pop_to_mark();
    void pop_or_unmark();
    void duplicate() { stack_.push_back(top()); }
    void mark() { marks_.push_back(stack_.size()); }
    /// Adds items to the list, set, dict or object on top of the stack.
    void append(PickleKind kind, const References& items);
    void append_pairs(const References& items);
    void put(std::size_t index);
    void put_next() { put(memo_.size()); }
    void get(std::size_t index);
    void skip_frame_header();
    void push_global(std::string_view module, std::string_view name);
    void push_global_from_lines();
    void push_global_from_stack();
    void push_extension(std::uint32_t code);
    /// Calls the callable on the stack with the arguments above it: REDUCE and NEWOBJ; NEWOBJ_EX also has
    /// keyword arguments.
    void call();
    void call_with_names();
    void call_from_lines();  ///< INST
    void call_from_mark();   ///< OBJ
    void set_state();

    // Protocol 0's text lines.
    void push_integer_line();
    void push_long_line();
    void push_real_line();
    void push_string_line();
    void push_unicode_line();
    void push_persistent_line();
    std::size_t index_line();

    [[noreturn]] void fail(const std::string& message) const {
        fail_at(reader_.name(), operation_offset_,
                "pickle: " + std::string(operation_name_) + ": " + message);
    }

  private:
    PickleValue& value(PickleReference reference) { return contents_.values[reference]; }
    ReferenceList& items(const PickleValue& container) {
        return contents_.items[static_cast<std::size_t>(container.integer)];
    }
    void set_text(PickleValue& value, std::string_view text);
    void set_own_text(PickleKind kind, std::string text);
    void push_object(PickleReference callable, PickleReference arguments);
    /// The dict or list in which an object keeps the items added to it.
    PickleReference container_of(PickleReference target, PickleKind kind);
    /// Creates a value without pushing it.
    PickleReference make(PickleKind kind);
    PickleReference make_items(PickleKind kind, const References& items);
    /// Operations may take only the values above the last mark.
    std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

    ByteReader& reader_;
    std::size_t begin_;
    std::size_t most_memo_;
    std::string_view operation_name_ = "operation";
    std::size_t operation_offset_ = 0;
    std::size_t operations_ = 0;
    PickleContents contents_;
    std::map<std::pair<std::string_view, std::string_view>, PickleReference> known_globals_;
    std::deque<PickleReference> stack_;
    std::deque<std::size_t> marks_;  ///< stack heights
    References memo_;
};

}  // namespace vgg19::converter
