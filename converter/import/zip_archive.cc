#include "converter/import/zip_archive.h"

#include <utility>

#include "converter/import/zip_inflate.h"
#include "converter/zip_records.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

using zip::end64_signature;
using zip::end_signature;
using zip::entry_signature;
using zip::in_zip64;
using zip::local_signature;
using zip::locator64_signature;
using zip::zip64_field;

// The sizes of records' fixed parts, and other numbers in them.
constexpr std::size_t end_bytes = 22;
constexpr std::size_t locator64_bytes = 20;
constexpr std::size_t longest_comment = 0xffff;
constexpr std::uint16_t encrypted_flag = 1;
constexpr std::uint16_t stored = 0;
constexpr std::uint16_t deflated = 8;

/// The 64-bit replacements of numbers that do not fit 32 bits, in the order of the fields.
class Zip64Extra {
  public:
    Zip64Extra(ByteReader extra) : extra_(std::move(extra)) {
        while (extra_.remaining() > 0) {
            const auto id = extra_.number<std::uint16_t>("an extra field");
            const auto size = extra_.number<std::uint16_t>("an extra field's size");
            if (id == zip64_field) return;
            extra_.bytes(size, "an extra field");
        }
    }
    std::uint64_t widen(std::uint32_t value) {
        return value == in_zip64 ? extra_.number<std::uint64_t>("a zip64 field") : value;
    }

  private:
    ByteReader extra_;
};

}  // namespace

void ZipArchive::expect_signature(ByteReader& reader, std::uint32_t signature,
                                  const std::string& what) const {
    const std::size_t offset = reader.offset();
    if (reader.number<std::uint32_t>(what) != signature) {
        fail_at(name_, offset, "zip: expected " + what + ", found something else");
    }
}

/// The end record is last in the file, followed only by a comment; it contains the comment's length.
std::size_t ZipArchive::find_end() const {
    const std::size_t size = file_.size();
    for (std::size_t comment = 0; comment <= longest_comment && end_bytes + comment <= size; ++comment) {
        ByteReader record = reader(size - end_bytes - comment);
        if (record.number<std::uint32_t>("the end record") != end_signature) continue;
        record.bytes(end_bytes - 6, "the end record");
        if (record.number<std::uint16_t>("the comment's length") == comment) {
            return size - end_bytes - comment;
        }
    }
    fail_at(name_, size,
            "zip: expected the end record of the central directory, found none; is the file cut off?");
}

ZipArchive::Directory ZipArchive::find_directory() const {
    const std::size_t end = find_end();
    if (end >= locator64_bytes) {
        ByteReader locator = reader(end - locator64_bytes);
        if (locator.number<std::uint32_t>("the zip64 locator") == locator64_signature) {
            return find_directory64(end - locator64_bytes);
        }
    }
    ByteReader record = reader(end);
    expect_signature(record, end_signature, "the end record");
    record.bytes(6, "disk numbers");
    Directory directory{.offset = end};
    directory.entries = record.number<std::uint16_t>("the count of entries");
    directory.bytes = record.number<std::uint32_t>("the directory's size");
    directory.begin = record.number<std::uint32_t>("the directory's offset");
    return directory;
}

ZipArchive::Directory ZipArchive::find_directory64(std::size_t locator_offset) const {
    ByteReader locator = reader(locator_offset);
    expect_signature(locator, locator64_signature, "the zip64 locator");
    locator.bytes(4, "a disk number");
    const auto end = locator.number<std::uint64_t>("the zip64 end record's offset");
    if (end >= locator_offset) {
        fail_at(name_, locator_offset,
                "zip: expected the zip64 end record before here, found offset " + std::to_string(end));
    }
    ByteReader record = reader(end);
    expect_signature(record, end64_signature, "the zip64 end record");
    record.bytes(28, "sizes, versions and disk numbers");
    Directory directory{.offset = end};
    directory.entries = record.number<std::uint64_t>("the count of entries");
    directory.bytes = record.number<std::uint64_t>("the directory's size");
    directory.begin = record.number<std::uint64_t>("the directory's offset");
    return directory;
}

ZipArchive::ZipArchive(const model::MappedFile& file, OwnedBytes& owned)
    : file_(file.bytes()), name_(file.path().string()), owned_(owned) {
    const Directory directory = find_directory();
    if (directory.begin > directory.offset || directory.bytes > directory.offset - directory.begin) {
        fail_at(name_, directory.offset,
                "zip: expected a central directory before here, found " + std::to_string(directory.bytes) +
                    " bytes from byte " + std::to_string(directory.begin));
    }
    directory_begin_ = directory.begin;
    ByteReader records(file_, name_, directory.begin, directory.begin + directory.bytes);
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
        const auto entry = read_entry(records);
        if (!entries_.insert(entry).second) {
            fail_at(name_, entry.second.record,
                    "zip: expected each file once, found " + printable(entry.first) + " again");
        }
    }
    if (records.remaining() != 0) {
        fail_at(name_, records.offset(),
                "zip: expected " + std::to_string(directory.entries) +
                    " entries in the central directory, found more");
    }
}

std::pair<std::string_view, ZipArchive::Entry> ZipArchive::read_entry(ByteReader& directory) const {
    Entry entry{.record = directory.offset()};
    expect_signature(directory, entry_signature, "an entry of the central directory");
    directory.bytes(4, "versions");
    entry.flags = directory.number<std::uint16_t>("flags");
    entry.method = directory.number<std::uint16_t>("the compression method");
    directory.bytes(8, "time and sum");
    const auto stored_size = directory.number<std::uint32_t>("the stored size");
    const auto size = directory.number<std::uint32_t>("the size");
    const auto name_bytes = directory.number<std::uint16_t>("the length of a name");
    const auto extra_bytes = directory.number<std::uint16_t>("the length of extra fields");
    const auto comment_bytes = directory.number<std::uint16_t>("the length of a comment");
    directory.bytes(8, "attributes");
    const auto header = directory.number<std::uint32_t>("an offset");
    const std::string_view name = directory.text(name_bytes, "a name");
    const std::size_t extra = directory.offset();
    directory.bytes(std::size_t{extra_bytes} + comment_bytes, "extra fields");

    Zip64Extra zip64(ByteReader(file_, name_, extra, extra + extra_bytes));
    entry.size = zip64.widen(size);
    entry.stored_size = zip64.widen(stored_size);
    entry.header = zip64.widen(header);
    return {name, entry};
}

std::span<const std::byte> ZipArchive::contents(std::string_view name) {
    const Entry& entry = entries_.find(name)->second;
    const std::string file = "zip: file " + printable(name);
    if ((entry.flags & encrypted_flag) != 0) {
        fail_at(name_, entry.record, file + ": expected it readable, found it encrypted");
    }
    if (entry.method != stored && entry.method != deflated) {
        fail_at(name_, entry.record,
                file + ": expected it stored or compressed with DEFLATE, found compression method " +
                    std::to_string(entry.method) + "; pack the file again without compression (zip -0 -r)");
    }
    if (entry.method == stored && entry.size != entry.stored_size) {
        fail_at(name_, entry.record,
                file + ": expected " + std::to_string(entry.size) +
                    " bytes, as it is not compressed, found " + std::to_string(entry.stored_size));
    }
    const std::size_t begin = data_offset(name, entry.header);
    if (begin > directory_begin_ || entry.stored_size > directory_begin_ - begin) {
        fail_at(name_, entry.record,
                file + ": expected it before the central directory at byte " +
                    std::to_string(directory_begin_) + ", found " + std::to_string(entry.stored_size) +
                    " bytes from byte " + std::to_string(begin));
    }
    const std::span<const std::byte> packed = file_.subspan(begin, entry.stored_size);
    if (entry.method == stored) return packed;
    const std::size_t most_unpacked = least_unpacked + unpacked_factor * file_.size();
    if (entry.size > most_unpacked - unpacked_bytes_) {
        fail_at(name_, entry.record,
                file + ": expected at most " + std::to_string(most_unpacked) +
                    " bytes from all that is compressed, found more");
    }
    unpacked_bytes_ += entry.size;
    try {
        owned_.push_back(inflated(packed, entry.size));
    } catch (const Error& error) {
        fail_at(name_, entry.record, file + ": " + error.what());
    }
    return owned_.back();
}

/// The data follow the local header, which repeats the name.
std::size_t ZipArchive::data_offset(std::string_view entry, std::uint64_t header) const {
    if (header > file_.size()) {
        fail_at(name_, file_.size(),
                "zip: file " + printable(entry) + ": expected its header at byte " + std::to_string(header) +
                    ", found the end of the file");
    }
    ByteReader local = reader(header);
    expect_signature(local, local_signature, "the header of file " + printable(entry));
    local.bytes(22, "a file's header");
    const auto name_bytes = local.number<std::uint16_t>("the length of a name");
    const auto extra_bytes = local.number<std::uint16_t>("the length of extra fields");
    if (local.text(name_bytes, "a name") != entry) {
        fail_at(name_, header,
                "zip: expected the name " + printable(entry) + " in its header, found another");
    }
    local.bytes(extra_bytes, "extra fields");
    return local.offset();
}

}  // namespace vgg19::converter
