// The reader of requests alone, without a socket: many more inputs than the fuzzer `http`. What bytes mean
// must not depend on how they are cut into pieces; the first byte says how.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tools/serve/http/problem.h"
#include "tools/serve/http/request_reader.h"

namespace {

namespace http = vgg19::http;

constexpr std::size_t most_body_bytes = 300;

void require(bool condition) {
    if (!condition) std::abort();
}

/// Reads requests from pieces, and writes down what they are.
class Listener {
  public:
    /// False if nothing more is read.
    bool hear(std::string_view bytes) {
        received_ += bytes;
        try {
            while (read()) {
            }
        } catch (const http::Problem& problem) {
            require(problem.status() >= 400 && problem.status() <= 505);
            heard_ += "! " + std::to_string(problem.status()) + " " + problem.what();
            return false;
        }
        return true;
    }
    const std::string& heard() const { return heard_; }

  private:
    /// False if more bytes are needed.
    bool read() {
        const bool had_head = reader_.has_head();
        std::size_t pieces = 0;
        const std::size_t used = reader_.read(received_, [&](std::string_view piece) {
            require(had_head);
            body_ += piece;
            ++pieces;
        });
        require(used <= received_.size());
        received_.erase(0, used);
        if (!had_head && reader_.has_head()) begin_request();
        require(body_.size() <= most_body_bytes);
        if (reader_.is_complete()) end_request();
        return !received_.empty() && (used > 0 || pieces > 0);
    }

    void begin_request() {
        const http::Request& request = reader_.request();
        require(request.target.starts_with('/') && request.path.starts_with('/'));
        require(!request.chunked || !request.content_length);
        heard_ += request.method + " " + request.target + (request.is_1_0 ? " 1.0\n" : "\n");
        for (const auto& [name, value] : request.fields) {
            require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
            heard_.append(name).append(": ").append(value).append("\n");
        }
        length_ = request.content_length.value_or(0);
        reader_.limit_body(most_body_bytes);
    }

    void end_request() {
        if (!reader_.request().chunked) require(body_.size() == length_);
        heard_ += "= " + body_ + "\n";
        body_.clear();
        reader_.reset();
    }

    const http::Limits limits_{
        .request_line_bytes = 200, .head_bytes = 600, .chunk_line_bytes = 40, .trailer_bytes = 100};
    http::RequestReader reader_{limits_};
    std::string received_;
    std::string body_;
    std::uint64_t length_ = 0;
    std::string heard_;
};

std::string meaning(std::string_view bytes, std::size_t piece) {
    Listener listener;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        if (!listener.hear(bytes.substr(0, piece))) break;
    }
    return listener.heard();
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::string whole = meaning(bytes, bytes.size());
    require(meaning(bytes, 1 + data[0] % 64) == whole);
    return 0;
}
