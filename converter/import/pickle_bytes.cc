#include "converter/import/pickle_bytes.h"

#include <string_view>
#include <vector>

namespace vgg19::converter {
namespace {

std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
}

/// Turns each character (one or two bytes of UTF-8) into one byte; none if one is beyond Latin 1.
std::optional<std::vector<std::byte>> latin1(std::string_view text) {
    std::vector<std::byte> bytes;
    bytes.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto first = static_cast<unsigned char>(text[i]);
        if (first < 0x80) {
            bytes.push_back(std::byte{first});
            continue;
        }
        if ((first != 0xc2 && first != 0xc3) || ++i == text.size()) return {};
        const auto second = static_cast<unsigned char>(text[i]);
        if ((second & 0xc0U) != 0x80) return {};
        bytes.push_back(static_cast<std::byte>((first & 3U) << 6U | (second & 0x3fU)));
    }
    return bytes;
}

}  // namespace

std::optional<std::span<const std::byte>> PickleBytes::bytes_of(PickleReference reference) {
    const PickleValue& value = pickle_.at(reference);
    if (value.kind == PickleKind::bytes || value.kind == PickleKind::text) return as_bytes(value.text());
    const PickleGlobal* called = pickle_.callable(value);
    if (called == nullptr) return {};
    const PickleReference tuple = pickle_.object(value)->arguments;
    const std::span<const PickleReference> arguments = pickle_.items(pickle_.at(tuple));
    if (arguments.empty()) {  // how protocol 2 stores b""
        if (called->name == "bytes" || called->name == "bytearray") return std::span<const std::byte>();
        return {};
    }
    const PickleValue& first = pickle_.at(arguments[0]);
    if (called->is("_codecs", "encode") && first.kind == PickleKind::text) return decoded(arguments[0]);
    if (called->name != "bytearray" && called->name != "bytes") return {};
    if (first.kind == PickleKind::bytes) return as_bytes(first.text());
    if (first.kind == PickleKind::text) return decoded(arguments[0]);
    const PickleGlobal* inner = pickle_.callable(first);
    if (inner == nullptr || !inner->is("_codecs", "encode")) return {};
    return bytes_of(arguments[0]);  // the argument itself must not be a bytearray
}

std::optional<std::span<const std::byte>> PickleBytes::decoded(PickleReference text) {
    if (const auto known = known_.find(text); known != known_.end()) return known->second;
    std::optional<std::vector<std::byte>> bytes = latin1(pickle_.at(text).text());
    if (bytes) owned_.push_back(std::move(*bytes));
    return known_[text] = bytes ? std::optional(std::span<const std::byte>(owned_.back())) : std::nullopt;
}

}  // namespace vgg19::converter
