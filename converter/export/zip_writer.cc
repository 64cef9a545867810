#include "converter/export/zip_writer.h"

#include <concepts>

#include "converter/zip_records.h"
#include "engine/image/checksums.h"

namespace vgg19::converter {
namespace {

using zip::end64_signature;
using zip::end_signature;
using zip::entry_signature;
using zip::in_zip64;
using zip::local_signature;
using zip::locator64_signature;
using zip::zip64_field;

// Of APPNOTE's records, what only a writer needs.
constexpr std::uint32_t sum_signature = 0x08074b50;
constexpr std::uint16_t sum_follows = 1U << 3U;
constexpr std::uint16_t zip64_version = 45;
constexpr std::uint16_t padding_field = 0x4246;     // "FB", as PyTorch pads
constexpr std::uint16_t first_day = 1U << 5U | 1U;  // of January 1980, the first that there is
constexpr std::uint16_t in_zip64_16 = 0xffff;
constexpr std::size_t local_header_bytes = 30;
constexpr std::size_t field_header_bytes = 4;
constexpr std::size_t alignment = 64;

/// Little-endian numbers, one after the other.
class Record {
  public:
    template <std::unsigned_integral Number>
    Record& add(Number value) {
        for (std::size_t i = 0; i < sizeof(Number); ++i) {
            text_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFFU);
        }
        return *this;
    }
    Record& add(std::string_view text) {
        text_ += text;
        return *this;
    }
    std::size_t size() const { return text_.size(); }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

std::uint32_t narrow(std::uint64_t value, bool is_wide) {
    return is_wide ? in_zip64 : static_cast<std::uint32_t>(value);
}

}  // namespace

void ZipWriter::put(std::string_view text) {
    sink_(std::as_bytes(std::span(text)));
    position_ += text.size();
}

void ZipWriter::begin(const std::string& name, std::uint64_t bytes) {
    if (is_open_) end_file();
    // Sizes of 64 bits behind the contents are announced by such sizes before them.
    Record extra;
    if (is_wide(bytes)) {
        extra.add(zip64_field).add(std::uint16_t{16}).add(std::uint64_t{0}).add(std::uint64_t{0});
    }
    const std::uint64_t unpadded =
        position_ + local_header_bytes + name.size() + extra.size() + field_header_bytes;
    const auto padding = static_cast<std::uint16_t>((alignment - unpadded % alignment) % alignment);
    extra.add(padding_field).add(padding).add(std::string(padding, '\0'));

    Record header;
    header.add(local_signature)
        .add(is_wide(bytes) ? zip64_version : std::uint16_t{0})
        .add(sum_follows)
        .add(std::uint16_t{0})  // not compressed
        .add(std::uint16_t{0})
        .add(first_day);
    const std::uint32_t later = is_wide(bytes) ? in_zip64 : 0;
    header.add(std::uint32_t{0}).add(later).add(later);
    header.add(static_cast<std::uint16_t>(name.size())).add(static_cast<std::uint16_t>(extra.size()));
    entries_.push_back({.name = name, .header = position_, .bytes = bytes});
    put(header.add(name).add(extra.text()).text());
    is_open_ = true;
}

void ZipWriter::write(std::span<const std::byte> bytes) {
    std::uint32_t& checksum = entries_.back().checksum;
    checksum = crc32({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, checksum);
    sink_(bytes);
    position_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::string_view content) {
    begin(name, content.size());
    write(std::as_bytes(std::span(content)));
}

void ZipWriter::end_file() {
    const Entry& entry = entries_.back();
    Record sums;
    sums.add(sum_signature).add(entry.checksum);
    if (is_wide(entry.bytes)) {
        sums.add(entry.bytes).add(entry.bytes);
    } else {
        const auto bytes = static_cast<std::uint32_t>(entry.bytes);
        sums.add(bytes).add(bytes);
    }
    put(sums.text());
    is_open_ = false;
}

std::string ZipWriter::directory_entry(const Entry& entry) const {
    Record wide;
    if (is_wide(entry.bytes)) wide.add(entry.bytes).add(entry.bytes);
    if (is_wide(entry.header)) wide.add(entry.header);
    Record extra;
    if (wide.size() > 0) {
        extra.add(zip64_field).add(static_cast<std::uint16_t>(wide.size())).add(wide.text());
    }
    const std::uint16_t version = wide.size() > 0 ? zip64_version : 0;
    const std::uint32_t bytes = narrow(entry.bytes, is_wide(entry.bytes));
    Record record;
    record.add(entry_signature).add(version).add(version).add(sum_follows);
    record.add(std::uint16_t{0}).add(std::uint16_t{0}).add(first_day);
    record.add(entry.checksum).add(bytes).add(bytes);
    record.add(static_cast<std::uint16_t>(entry.name.size())).add(static_cast<std::uint16_t>(extra.size()));
    record.add(std::string(10, '\0'));  // comment, disk, attributes
    record.add(narrow(entry.header, is_wide(entry.header)));
    return record.add(entry.name).add(extra.text()).text();
}

std::string ZipWriter::end_record(std::uint64_t directory_begin, std::uint64_t directory_bytes) const {
    const std::uint64_t count = entries_.size();
    const std::uint64_t end = directory_begin + directory_bytes;
    const bool wide = is_wide(end) || count >= in_zip64_16;
    Record record;
    if (wide) {
        constexpr std::uint64_t rest_of_record = 44;
        record.add(end64_signature).add(rest_of_record).add(zip64_version).add(zip64_version);
        record.add(std::uint64_t{0}).add(count).add(count).add(directory_bytes).add(directory_begin);
        record.add(locator64_signature).add(std::uint32_t{0}).add(end).add(std::uint32_t{1});
    }
    const auto short_count = wide ? in_zip64_16 : static_cast<std::uint16_t>(count);
    record.add(end_signature).add(std::uint32_t{0}).add(short_count).add(short_count);
    record.add(narrow(directory_bytes, wide)).add(narrow(directory_begin, wide));
    return record.add(std::uint16_t{0}).text();
}

void ZipWriter::finish() {
    if (is_open_) end_file();
    const std::uint64_t begin = position_;
    for (const Entry& entry : entries_) put(directory_entry(entry));
    put(end_record(begin, position_ - begin));
}

}  // namespace vgg19::converter
