// PyTorch's zip format: NAME/data.pkl, and a storage a file, NAME/data/KEY. Nothing is compressed, so that
// the storages can be read where they are. Sums (CRC-32) are not compared: PyTorch can be told to write none.
#include <algorithm>
#include <string>

#include "converter/import/torch_state.h"

namespace vgg19::converter {
namespace {

// The records of a zip file (PKWARE's APPNOTE, sections 4.3.7 to 4.3.16): signature and bytes before the
// variable part.
constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t entry_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t locator64_signature = 0x07064b50;
constexpr std::size_t end_bytes = 22;
constexpr std::size_t locator64_bytes = 20;
constexpr std::size_t longest_comment = 0xffff;
constexpr std::uint16_t zip64_extra_field = 1;
constexpr std::uint32_t in_zip64 = 0xffffffff;
constexpr std::uint16_t encrypted_flag = 1;

/// Where the central directory is.
struct Directory {
    std::size_t begin = 0;
    std::size_t bytes = 0;
    std::uint64_t entries = 0;
    std::size_t offset = 0;  ///< of the record that says so
};

using Entries = std::map<std::string_view, std::span<const std::byte>>;

class ZipReader {
  public:
    explicit ZipReader(const model::MappedFile& file) : file_(file.bytes()), name_(file.path().string()) {}

    /// The bytes of every file in the archive, by name.
    Entries entries() const;

  private:
    ByteReader reader(std::size_t begin) const { return {file_, name_, begin, file_.size()}; }
    void expect_signature(ByteReader& reader, std::uint32_t signature, const std::string& what) const;
    std::size_t find_end() const;
    Directory find_directory() const;
    Directory find_directory64(std::size_t end) const;
    std::pair<std::string_view, std::span<const std::byte>> read_entry(ByteReader& directory,
                                                                       std::size_t limit) const;
    std::size_t data_offset(std::string_view entry, std::uint64_t header) const;

    std::span<const std::byte> file_;
    std::string name_;
};

void ZipReader::expect_signature(ByteReader& reader, std::uint32_t signature, const std::string& what) const {
    const std::size_t offset = reader.offset();
    if (reader.number<std::uint32_t>(what) != signature) {
        fail_at(name_, offset, "zip: expected " + what + ", found something else");
    }
}

/// The end record is the last thing in the file but for a comment, whose length it gives.
std::size_t ZipReader::find_end() const {
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

Directory ZipReader::find_directory() const {
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

Directory ZipReader::find_directory64(std::size_t locator_offset) const {
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

Entries ZipReader::entries() const {
    const Directory directory = find_directory();
    if (directory.begin > directory.offset || directory.bytes > directory.offset - directory.begin) {
        fail_at(name_, directory.offset,
                "zip: expected a central directory before here, found " + std::to_string(directory.bytes) +
                    " bytes from byte " + std::to_string(directory.begin));
    }
    ByteReader records(file_, name_, directory.begin, directory.begin + directory.bytes);
    Entries entries;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
        const std::size_t offset = records.offset();
        const auto entry = read_entry(records, directory.begin);
        if (!entries.insert(entry).second) {
            fail_at(name_, offset,
                    "zip: expected each file once, found " + printable(entry.first) + " again");
        }
    }
    if (records.remaining() != 0) {
        fail_at(name_, records.offset(),
                "zip: expected " + std::to_string(directory.entries) +
                    " entries in the central directory, found more");
    }
    return entries;
}

/// The 64-bit numbers that stand in for those that do not fit 32 bits, in the order of the fields.
class Zip64Extra {
  public:
    Zip64Extra(ByteReader extra) : extra_(std::move(extra)) {
        while (extra_.remaining() > 0) {
            const auto id = extra_.number<std::uint16_t>("an extra field");
            const auto size = extra_.number<std::uint16_t>("an extra field's size");
            if (id == zip64_extra_field) return;
            extra_.bytes(size, "an extra field");
        }
    }
    std::uint64_t widen(std::uint32_t value) {
        return value == in_zip64 ? extra_.number<std::uint64_t>("a zip64 field") : value;
    }

  private:
    ByteReader extra_;
};

std::pair<std::string_view, std::span<const std::byte>> ZipReader::read_entry(ByteReader& directory,
                                                                              std::size_t limit) const {
    const std::size_t offset = directory.offset();
    expect_signature(directory, entry_signature, "an entry of the central directory");
    directory.bytes(4, "versions");
    const auto flags = directory.number<std::uint16_t>("flags");
    const auto method = directory.number<std::uint16_t>("the compression method");
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
    const std::uint64_t full_size = zip64.widen(size);
    const std::uint64_t full_stored_size = zip64.widen(stored_size);
    const std::uint64_t full_header = zip64.widen(header);

    const std::string file = "zip: file " + printable(name);
    if (method != 0 || (flags & encrypted_flag) != 0 || full_size != full_stored_size) {
        fail_at(name_, offset, file + ": expected it stored as it is, found it compressed or encrypted");
    }
    const std::size_t begin = data_offset(name, full_header);
    if (begin > limit || full_size > limit - begin) {
        fail_at(name_, offset,
                file + ": expected it before the central directory at byte " + std::to_string(limit) +
                    ", found " + std::to_string(full_size) + " bytes from byte " + std::to_string(begin));
    }
    return {name, file_.subspan(begin, full_size)};
}

/// Behind the local header, which repeats the name.
std::size_t ZipReader::data_offset(std::string_view entry, std::uint64_t header) const {
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

/// "NAME/" of the one NAME/data.pkl.
std::string archive_prefix(const Entries& entries, const std::string& file) {
    constexpr std::string_view pickle = "/data.pkl";
    std::vector<std::string_view> found;
    for (const auto& [name, bytes] : entries) {
        if (name.ends_with(pickle)) found.push_back(name);
    }
    if (found.size() != 1) {
        throw Error(ErrorKind::bad_input, file + ": expected one data.pkl in the zip file, found " +
                                              std::to_string(found.size()) +
                                              "; is this a model that PyTorch saved?");
    }
    return std::string(found[0].substr(0, found[0].size() - pickle.size() + 1));
}

void check_byte_order(const Entries& entries, const std::string& prefix, const std::string& file) {
    const auto entry = entries.find(prefix + "byteorder");
    if (entry == entries.end()) return;  // PyTorch before 2.1
    const std::string_view order(reinterpret_cast<const char*>(entry->second.data()), entry->second.size());
    if (order != "little") {
        throw Error(ErrorKind::bad_input, file + ": " + printable(prefix) +
                                              "byteorder: expected little, found " + printable(order));
    }
}

/// The bytes of the storages that the pickle names, as far as the archive has them.
StorageBytes find_storages(const Entries& entries, const std::string& prefix, const Pickle& pickle,
                           const std::string& file) {
    StorageBytes storages;
    for (const auto& [key, storage] : torch_storages(pickle)) {
        const auto entry = entries.find(prefix + "data/" + std::string(key));
        if (entry == entries.end()) continue;
        if (entry->second.size() != storage.bytes()) {
            throw Error(ErrorKind::bad_input, file + ": " + printable(entry->first) + ": expected " +
                                                  std::to_string(storage.bytes()) + " bytes, found " +
                                                  std::to_string(entry->second.size()));
        }
        storages.emplace(key, entry->second);
    }
    return storages;
}

}  // namespace

std::vector<StoredTensor> read_torch_zip(const model::MappedFile& file) {
    const std::string name = file.path().string();
    const Entries entries = ZipReader(file).entries();
    const std::string prefix = archive_prefix(entries, name);
    check_byte_order(entries, prefix, name);

    const std::span<const std::byte> data = entries.find(prefix + "data.pkl")->second;
    const auto begin = static_cast<std::size_t>(data.data() - file.bytes().data());
    ByteReader reader(file.bytes(), name, begin, begin + data.size());
    const Pickle pickle = Pickle::read(reader);
    return torch_tensors(pickle, find_storages(entries, prefix, pickle, name));
}

}  // namespace vgg19::converter
