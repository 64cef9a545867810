// The inside of the pickle reader: what its operations do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "converter/import/byte_reader.h"
#include "converter/import/pickle.h"

namespace vgg19::converter {

/// The stack, marks and memo of a pickle, and what the operations on them are made of. Everything that can be
/// wrong with an operation throws Error (bad_input) with its name and offset.
class PickleMachine {
  public:
    explicit PickleMachine(ByteReader& reader) : reader_(reader) {}

    void read_protocol();
    /// The code of the next operation. Counts them.
    std::uint8_t next_operation();
    /// For messages.
    void set_operation_name(std::string_view name) { operation_name_ = name; }
    /// After STOP: the one value that is left.
    PickleReference result() const;
    std::vector<PickleValue> take_values() { return std::move(values_); }

    template <class T>
    T read() {
        return reader_.number<T>(operation_name_);
    }
    /// A length before something that is in the file; the signed ones must not be negative.
    template <class T>
    std::uint64_t read_length() {
        const T length = read<T>();
        if constexpr (std::is_signed_v<T>) {
            if (length < 0) fail("expected a length, found " + std::to_string(length));
        }
        return static_cast<std::uint64_t>(length);
    }
    /// Makes a value and puts it on the stack.
    PickleValue& push(PickleKind kind);
    void push_integer(std::int64_t integer) { push(PickleKind::integer).integer = integer; }
    void push_text(PickleKind kind, std::uint64_t length);
    void push_items(PickleKind kind, std::vector<PickleReference> items) {
        push(kind).items = std::move(items);
    }
    void push_long(std::uint64_t length);
    void push_real();
    PickleReference pop();
    PickleReference top();
    std::vector<PickleReference> pop_count(std::size_t count);
    std::vector<PickleReference> pop_to_mark();
    void mark() { marks_.push_back(stack_.size()); }
    /// Adds to the container on top of the stack.
    void append(PickleKind kind, const std::vector<PickleReference>& items);
    void append_pairs(const std::vector<PickleReference>& items);
    void put(std::size_t index);
    void put_next() { put(memo_.size()); }
    void get(std::size_t index);
    void skip_frame_header();
    void push_global(std::string_view module, std::string_view name);
    void push_global_from_lines();
    void push_global_from_stack();
    void call();
    void set_attributes();
    [[noreturn]] void fail(const std::string& message) const {
        fail_at(reader_.name(), operation_offset_,
                "pickle: " + std::string(operation_name_) + ": " + message);
    }

  private:
    const PickleGlobal& checked_callable(const PickleValue& callable, const PickleValue& arguments) const;
    void call_ordered_dict(const PickleGlobal& global, const std::vector<PickleReference>& arguments);
    void call_rebuild_parameter(PickleReference tensor);

    /// The values above the last mark are as far as an operation may take from the stack.
    std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

    static constexpr PickleReference unset = ~PickleReference{0};

    ByteReader& reader_;
    std::string_view operation_name_ = "PROTO";
    std::size_t operation_offset_ = 0;
    std::size_t operations_ = 0;
    std::vector<PickleValue> values_;
    std::vector<PickleReference> stack_;
    std::vector<std::size_t> marks_;  ///< heights of the stack
    std::vector<PickleReference> memo_;
};

}  // namespace vgg19::converter
