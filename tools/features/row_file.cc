#include "tools/features/row_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "engine/image/checksums.h"
#include "engine/model/json_file.h"
#include "engine/model/mapped_file.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

using model::Json;
using model::member;

// The file: a line of settings, then for each row a line of JSON, its values, and a checksum of both.
constexpr std::size_t checksum_bytes = 4;

/// A path of 4096 bytes in hexadecimal digits, and the shapes of all layers.
constexpr std::size_t longest_line = 65'536;

std::size_t elements(const std::vector<std::size_t>& shape) {
    std::size_t product = 1;
    for (const std::size_t size : shape) product *= size;
    return product;
}

std::size_t elements(const Shapes& shapes) {
    std::size_t sum = 0;
    for (const auto& shape : shapes) sum += elements(shape);
    return sum;
}

/// Whether the shapes have at most so many elements, without computing more.
bool fit(const Shapes& shapes, std::size_t most) {
    for (const auto& shape : shapes) {
        std::size_t product = 1;
        for (const std::size_t size : shape) {
            if (size != 0 && product > most / size) return false;
            product *= size;
        }
        most -= product;
    }
    return true;
}

Json to_json(const Shapes& shapes) {
    Json json = Json::Array{};
    for (const auto& shape : shapes) {
        Json sizes = Json::Array{};
        for (const std::size_t size : shape) sizes.push(std::uint64_t{size});
        json.push(std::move(sizes));
    }
    return json;
}

Shapes shapes_from(const Json& json) {
    Shapes shapes;
    for (const Json& shape : json.array()) {
        auto& sizes = shapes.emplace_back();
        for (const Json& size : shape.array()) sizes.push_back(size.size());
    }
    return shapes;
}

/// Paths may be no UTF-8, which JSON cannot hold.
std::string hex_of(const std::string& text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        hex += digits[byte >> 4U];
        hex += digits[byte & 15U];
    }
    return hex;
}

std::string text_of_hex(const std::string& hex) {
    std::string text;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        text += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return text;
}

std::string head_line(const PictureFile& picture, const Shapes& shapes) {
    Json json;
    json.set("picture", hex_of(picture.path));
    json.set("bytes", picture.bytes).set("modified", static_cast<std::uint64_t>(picture.modified));
    return json.set("shapes", to_json(shapes)).dump() + '\n';
}

std::string checksum_of(std::string_view bytes) {
    const std::uint32_t sum = crc32({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    std::string text(checksum_bytes, '\0');
    std::memcpy(text.data(), &sum, checksum_bytes);
    return text;
}

struct FoundRow {
    PictureFile picture;
    Shapes shapes;
    std::size_t values_offset = 0;
    std::size_t end = 0;
};

/// The row at `offset`; none where it is torn or damaged.
std::optional<FoundRow> find_row(std::string_view content, std::size_t offset) {
    const std::size_t length = content.substr(offset, longest_line).find('\n');
    if (length == std::string_view::npos) return std::nullopt;
    const std::size_t line_end = offset + length;
    try {
        const Json json = Json::parse(content.substr(offset, line_end - offset), "row");
        FoundRow row;
        row.picture = {text_of_hex(member(json, "picture", "row").string()),
                       member(json, "bytes", "row").size(),
                       static_cast<std::int64_t>(member(json, "modified", "row").size())};
        row.shapes = shapes_from(member(json, "shapes", "row"));
        row.values_offset = line_end + 1;
        if (!fit(row.shapes, (content.size() - row.values_offset) / sizeof(float))) return std::nullopt;
        const std::size_t bytes = elements(row.shapes) * sizeof(float);
        if (content.size() - row.values_offset < bytes + checksum_bytes) return std::nullopt;
        row.end = row.values_offset + bytes + checksum_bytes;
        const std::string_view covered = content.substr(offset, row.end - checksum_bytes - offset);
        if (content.substr(row.end - checksum_bytes, checksum_bytes) != checksum_of(covered)) {
            return std::nullopt;
        }
        return row;
    } catch (const Error&) {
        return std::nullopt;
    } catch (const std::invalid_argument&) {  // no hexadecimal digits
        return std::nullopt;
    }
}

}  // namespace

PictureFile PictureFile::of(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) return {path};
    constexpr std::int64_t second = 1'000'000'000;
    return {path, static_cast<std::uint64_t>(status.st_size),
            status.st_mtim.tv_sec * second + status.st_mtim.tv_nsec};
}

RowFile::RowFile(std::filesystem::path path, const Json& settings, bool restart) : path_(std::move(path)) {
    open_file();
    const std::string line = settings.dump() + '\n';
    const model::MappedFile mapped(path_);
    const std::string_view content = model::as_text(mapped.bytes());
    if (restart || content.empty()) {
        begin(line);
    } else if (content.starts_with(line)) {
        read_rows(content, line.size());
    } else {
        throw Error(ErrorKind::usage,
                    path_.string() +
                        ": expected what an interrupted run with the same model and options left, "
                        "found another's; finish that run, delete the file, or give --restart");
    }
}

RowFile::Descriptor::~Descriptor() {
    if (number >= 0) close(number);
}

void RowFile::open_file() {
    descriptor_.number = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_.number < 0) fail("cannot be opened for writing");
    if (flock(descriptor_.number, LOCK_EX | LOCK_NB) == 0) return;
    throw Error(ErrorKind::usage, path_.string() + ": another run is writing this file");
}

void RowFile::begin(const std::string& settings) {
    if (ftruncate(descriptor_.number, 0) != 0) fail("cannot be emptied");
    write(settings);
}

void RowFile::read_rows(std::string_view content, std::size_t offset) {
    while (const auto row = find_row(content, offset)) {
        if (places_.empty()) shapes_ = row->shapes;
        if (row->shapes != shapes_) break;
        places_[row->picture] = row->values_offset;
        offset = row->end;
    }
    end_ = offset;
    if (ftruncate(descriptor_.number, static_cast<off_t>(end_)) != 0) {
        fail("cannot be cut to its last whole row");
    }
}

void RowFile::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count =
            pwrite(descriptor_.number, bytes.data(), bytes.size(), static_cast<off_t>(end_));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("cannot be written");
        end_ += static_cast<std::uint64_t>(count);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

void RowFile::append(const PictureFile& picture, const Row& row) {
    if (places_.empty()) shapes_ = row.shapes;
    std::string bytes = head_line(picture, row.shapes);
    const std::uint64_t values = end_ + bytes.size();
    bytes += model::as_text(std::as_bytes(std::span(row.values)));
    bytes += checksum_of(bytes);
    write(bytes);
    places_[picture] = values;
}

model::TensorStream RowFile::tensor(const std::string& name, std::size_t layer,
                                    const std::vector<PictureFile>& pictures) {
    std::size_t before = 0;
    for (std::size_t i = 0; i < layer; ++i) before += elements(shapes_[i]) * sizeof(float);
    const std::size_t bytes = elements(shapes_[layer]) * sizeof(float);
    std::vector<std::size_t> shape = {pictures.size()};
    shape.insert(shape.end(), shapes_[layer].begin(), shapes_[layer].end());
    const auto mapped = std::make_shared<const model::MappedFile>(path_);
    const auto write = [this, mapped, before, bytes, pictures](const model::Sink& sink) {
        for (const PictureFile& picture : pictures) {
            sink(mapped->bytes().subspan(places_.at(picture) + before, bytes));
        }
    };
    return {name, model::DType::f32, shape, write};
}

void RowFile::remove() {
    unlink(path_.c_str());
}

void RowFile::fail(const char* what) const {
    const int number = errno;
    throw Error(ErrorKind::failed,
                path_.string() + ": " + what + ": " + std::generic_category().message(number));
}

}  // namespace vgg19::tools
