#include "tools/npy_file.h"

#include "engine/model/replacing_file.h"
#include "tools/text.h"

namespace vgg19::tools {

std::string npy_header(const std::vector<std::size_t>& shape) {
    constexpr std::size_t alignment = 64;
    std::string before = {'\x93', 'N', 'U', 'M', 'P', 'Y', '\x01', '\x00'};
    constexpr std::size_t length_bytes = 2;
    // Python's tuple of one element has a comma.
    std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + joined(shape, ", ") +
                       (shape.size() == 1 ? ",), }" : "), }");
    const std::size_t used = before.size() + length_bytes + text.size() + 1;
    text.append((alignment - used % alignment) % alignment, ' ');
    text += '\n';
    before += static_cast<char>(text.size() & 0xFFU);
    before += static_cast<char>(text.size() >> 8U);
    return before + text;
}

void write_npy(const std::filesystem::path& path, const model::TensorStream& tensor) {
    const std::string header = npy_header(tensor.shape);
    model::ReplacingFile file(path);
    file.write(std::as_bytes(std::span(header)));
    tensor.write([&file](std::span<const std::byte> bytes) { file.write(bytes); });
    file.commit();
}

}  // namespace vgg19::tools
