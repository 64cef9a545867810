// JSON that programs keep in files, and read back.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/model/json.h"
#include "engine/model/mapped_file.h"
#include "vgg19/error.h"

namespace vgg19::model {

/// Larger than any file that this program keeps text in: reports, plans, settings.
inline constexpr std::size_t largest_text_file = std::size_t{16} << 20U;

/// Throws Error (bad_input) if the file has more bytes.
void require_text_size(const MappedFile& file, std::size_t most = largest_text_file);

/// The one value that a file of at most largest_text_file bytes holds. Throws Error (bad_input), as
/// MappedFile and Json::parse do.
Json read_json(const std::filesystem::path& path);

/// The member of an object. Throws Error (bad_input): "PLACE: expected a member "KEY", found none".
const Json& member(const Json& json, std::string_view key, const std::string& place);

/// What `read` makes of the value that a file holds. Where a value is of another type than `read` expects,
/// the error names the file.
template <class Read>
auto read_json_as(const std::filesystem::path& path, const Read& read) {
    const Json json = read_json(path);
    try {
        return read(json);
    } catch (const JsonTypeError& error) {
        throw Error(error.kind(), path.string() + ": " + error.what());
    }
}

}  // namespace vgg19::model
