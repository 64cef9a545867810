// A form gives its file, a part of the body, or a Problem that blames the client. The content type is on the
// first line.
#include "tools/serve/multipart.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tools/serve/problem.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace server = vgg19::server;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t line = text.find('\n');
    if (line == std::string_view::npos) return 0;
    const std::string_view body = text.substr(line + 1);
    try {
        const std::string_view file = server::file_of_form(body, text.substr(0, line));
        if (file.data() < body.data() || file.data() + file.size() > body.data() + body.size()) std::abort();
    } catch (const server::Problem& problem) {
        if (problem.status() != 400) std::abort();
    }
    return 0;
}
