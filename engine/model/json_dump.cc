#include <algorithm>
#include <cmath>

#include "engine/model/json.h"
#include "engine/model/number_text.h"
#include "engine/model/utf8.h"

namespace vgg19::model {

namespace {

void dump_string(std::string& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += '"';
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        const std::size_t length = utf8_length(text.substr(i));
        if (c == '"' || c == '\\') {
            out += '\\';
            out += text[i];
        } else if (c == '\n') {
            out += "\\n";
        } else if (c < 0x20) {
            out += "\\u00";
            out += digits[c >> 4U];
            out += digits[c & 15U];
        } else if (length == 0) {
            out += "\\ufffd";  // texts such as file names may be invalid UTF-8; the output must be valid
        } else {
            out += text.substr(i, length);
        }
        i += std::max<std::size_t>(length, 1);
    }
    out += '"';
}

}  // namespace

class JsonWriter {
  public:
    explicit JsonWriter(std::size_t indent) : indent_(indent) {}

    void write(const Json& json) { std::visit(*this, json.value_); }
    std::string text() && { return std::move(out_); }

    void operator()(std::monostate) { out_ += "null"; }
    void operator()(bool value) { out_ += value ? "true" : "false"; }
    void operator()(std::int64_t value) { out_ += std::to_string(value); }
    void operator()(std::uint64_t value) { out_ += std::to_string(value); }
    void operator()(double value) {
        if (std::isfinite(value)) {
            out_ += shortest_text(value);
        } else {
            out_ += "null";
        }
    }
    void operator()(const std::string& value) { dump_string(out_, value); }
    template <class T>
    void operator()(const Json::Boxed<T>& boxed) {
        (*this)(boxed.get());
    }

    void operator()(const Json::Array& elements) {
        nest('[', ']', elements, [this](const Json& element) { write(element); });
    }

    void operator()(const Json::Object& members) {
        nest('{', '}', members, [this](const Json::Member& member) {
            dump_string(out_, member.first);
            out_ += indent_ > 0 ? ": " : ":";
            write(member.second);
        });
    }

  private:
    template <class Items, class WriteItem>
    void nest(char open, char close, const Items& items, WriteItem write_item) {
        out_ += open;
        ++depth_;
        bool first = true;
        for (const auto& item : items) {
            if (!first) out_ += ',';
            first = false;
            new_line();
            write_item(item);
        }
        --depth_;
        if (!items.empty()) new_line();
        out_ += close;
    }

    void new_line() {
        if (indent_ == 0) return;
        out_ += '\n';
        out_.append(indent_ * depth_, ' ');
    }

    std::size_t indent_;
    std::size_t depth_ = 0;
    std::string out_;
};

std::string Json::dump(int indent) const {
    JsonWriter writer(static_cast<std::size_t>(std::max(indent, 0)));
    writer.write(*this);
    return std::move(writer).text();
}

}  // namespace vgg19::model
