// A client's request must be read, or give a Problem that blames the client. The first byte selects the part
// of the server.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "tools/serve/head.h"
#include "tools/serve/infer.h"
#include "tools/serve/multipart.h"
#include "tools/serve/problem.h"

namespace {

namespace server = vgg19::server;

constexpr std::size_t model_size = 32;

void read_request(unsigned part, std::string_view text) {
    switch (part % 4) {
        case 0:
            server::framing_of(server::parse_head(text));
            break;
        case 1:
            server::parse_infer_request(text, std::nullopt, model_size);
            break;
        case 2:  // JSON up to the first zero byte, then binary tensors
            server::parse_infer_request(text, text.find('\0'), model_size);
            break;
        default: {  // the content type on the first line
            const std::size_t line = text.find('\n');
            if (line == std::string_view::npos) return;
            server::file_of_form(text.substr(line + 1), text.substr(0, line));
        }
    }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        read_request(data[0], text.substr(1));
    } catch (const server::Problem& problem) {
        if (problem.status() < 400 || problem.status() > 505) std::abort();
    }
    return 0;
}
