#include "engine/program/record.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "engine/program/backward.h"
#include "vgg19/error.h"

namespace vgg19 {

namespace {

/// Of the machine that wrote it: a record is memory of this process or one like it, not a file format.
struct Head {
    std::array<char, 8> magic = {'v', 'g', 'g', '1', '9', 'r', 'e', 'c'};
    std::uint64_t height = 0;
    std::uint64_t width = 0;
    std::uint64_t batch = 0;
    /// Of the program's layout of records: which step records how much, for which ISA.
    std::uint64_t layout = 0;

    friend bool operator==(const Head&, const Head&) = default;
};

Head head_of(const Backward& backward) {
    const Plan& plan = backward.plan();
    return {.height = plan.input_size.height,
            .width = plan.input_size.width,
            .batch = plan.execution.batch,
            .layout = backward.record_layout()};
}

std::string text_of(const Head& head) {
    return "batch " + std::to_string(head.batch) + " of " + to_string(MapSize(head.height, head.width));
}

}  // namespace

std::size_t record_bytes(const Backward& backward) {
    return sizeof(Head) + backward.recorded().size();
}

void copy_record(const Backward& backward, std::span<std::byte> record) {
    const Head head = head_of(backward);
    const std::span<const std::byte> recorded = backward.recorded();
    std::memcpy(record.data(), &head, sizeof(Head));
    if (!recorded.empty()) std::memcpy(record.data() + sizeof(Head), recorded.data(), recorded.size());
}

void set_record(Backward& backward, std::span<const std::byte> record) {
    const Head expected = head_of(backward);
    Head found;
    std::memcpy(&found, record.data(), sizeof(Head));
    if (found.magic != expected.magic) {
        throw Error(ErrorKind::bad_input, "record: expected bytes that copy_record wrote, found others");
    }
    if (found != expected) {
        const bool same_shape = text_of(found) == text_of(expected);
        throw Error(
            ErrorKind::bad_input,
            "record: expected one of this session's for " + text_of(expected) + ", found one " +
                (same_shape ? "of a session with other layers, outputs or ISA" : "for " + text_of(found)));
    }
    const std::span<std::byte> recorded = backward.recorded();
    if (!recorded.empty()) std::memcpy(recorded.data(), record.data() + sizeof(Head), recorded.size());
}

}  // namespace vgg19
