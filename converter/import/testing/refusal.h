// For tests: the error message for a malformed file.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>

#include "converter/import/import.h"
#include "converter/import/testing/files.h"
#include "engine/testing/error_of.h"
#include "engine/testing/narrow_model.h"

namespace vgg19::converter::testing {

inline std::ptrdiff_t files_in(const vgg19::testing::TemporaryFolder& folder) {
    return std::distance(std::filesystem::directory_iterator(folder.path()), {});
}

/// The error message of importing a file with that content. Checks that no other file remains.
inline std::string refusal(const std::string& content) {
    const vgg19::testing::TemporaryFolder folder;
    write_bytes(folder / "weights", content);
    std::string message = vgg19::testing::error_of(
        ErrorKind::bad_input, [&] { import_model(folder / "weights", folder / "model"); });
    CHECK(message.starts_with((folder / "weights").string() + ": "));
    CHECK(files_in(folder) == 1);
    return message;
}

/// `content` with the bytes from `offset` on replaced.
inline std::string patched(std::string content, std::size_t offset, const std::string& bytes) {
    return content.replace(offset, bytes.size(), bytes);
}

}  // namespace vgg19::converter::testing
