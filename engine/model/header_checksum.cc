#include "engine/model/header_checksum.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/description.h"
#include "engine/model/foreign_text.h"
#include "engine/model/sha256.h"
#include "vgg19/error.h"

namespace vgg19::model {

namespace {

constexpr const char* checksum_name = "header_checksum";
constexpr const char* integrity_name = "integrity";

/// What the header says, as lines that do not depend on its order.
std::vector<std::string> statements(const Metadata& metadata, std::span<const Tensor> tensors) {
    std::vector<std::string> lines;
    for (const auto& [key, value] : metadata) {
        if (key == checksum_name) continue;
        std::string line = "metadata ";
        line.append(std::to_string(key.size())).append(" ").append(key).append(" ").append(value);
        lines.push_back(std::move(line));
    }
    for (const Tensor& tensor : tensors) {
        std::string line = "tensor " + std::to_string(tensor.name.size()) + ' ' + tensor.name + ' ' +
                           dtype_name(tensor.dtype);
        for (const std::size_t size : tensor.shape) line += ' ' + std::to_string(size);
        lines.push_back(std::move(line));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

std::string checksum_of(const Metadata& metadata, std::span<const Tensor> tensors) {
    Sha256 sum;
    for (const std::string& line : statements(metadata, tensors)) {
        const std::string with_length = std::to_string(line.size()) + ' ' + line;
        sum.update(std::as_bytes(std::span(with_length)));
    }
    return checksum_text(sum.hex_digest());
}

}  // namespace

void add_header_checksum(Metadata& metadata, std::span<const Tensor> tensors) {
    metadata.emplace_back(integrity_name, checksum_name);
    metadata.emplace_back(checksum_name, checksum_of(metadata, tensors));
}

void check_header(const Metadata& metadata, std::span<const Tensor> tensors,
                  const std::filesystem::path& path) {
    const std::string* const given = find(metadata, checksum_name);
    const std::string* const says = find(metadata, integrity_name);
    if (given == nullptr && says == nullptr) return;  // older, or another program's
    const std::string right = checksum_of(metadata, tensors);
    if (given != nullptr && *given == right) return;
    throw Error(ErrorKind::bad_input,
                path.string() + ": header: expected the metadata and tensors of checksum " +
                    (given == nullptr ? "\"header_checksum\", which is missing" : printable(*given)) +
                    ", found those of " + right +
                    "; the file is damaged, or a program that has changed them has kept \"integrity\" and "
                    "\"header_checksum\": without both nothing is checked");
}

}  // namespace vgg19::model
