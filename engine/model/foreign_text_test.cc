#include "engine/model/foreign_text.h"

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

namespace vgg19::model {

TEST_CASE("characters that control a terminal are shown as escapes") {
    CHECK(printable("layer.weight") == "layer.weight");
    CHECK(printable("\x1b[31mred\r\n\t") == R"(\x1b[31mred\x0d\x0a\x09)");
    CHECK(printable(std::string_view("a\0b", 3)) == R"(a\x00b)");
    CHECK(printable("\x7f") == R"(\x7f)");
    CHECK(printable("\xc2\x9b"
                    "31m") == R"(\x9b31m)");  // the C1 form of ESC [
    CHECK(printable("\xe2\x80\xae"
                    "evil") == R"(\u202eevil)");
    CHECK(printable("\xe2\x80\xa8") == R"(\u2028)");
    CHECK(printable("\xe2\x81\xa6") == R"(\u2066)");
}

TEST_CASE("text in any language stays, and bytes that are not UTF-8 are shown as escapes") {
    CHECK(printable("Größe 大きさ 🐈") == "Größe 大きさ 🐈");
    CHECK(printable("a\xff\xc3") == R"(a\xff\xc3)");
    CHECK(printable("\xed\xa0\x80") == R"(\xed\xa0\x80)");  // a surrogate
}

TEST_CASE("the middle of a long text is left out, never a part of a character") {
    CHECK(printable("0123456789", 10) == "0123456789");
    CHECK(printable("0123456789a", 9) == "012345…89a");
    const std::string huge = std::string(50'000'000, 'x') + ".weight";
    CHECK(printable(huge).size() == 100 + std::string("…").size());
    CHECK(printable(huge).ends_with(".weight"));
    for (std::size_t longest = 1; longest < 20; ++longest) {
        CAPTURE(longest);
        CHECK(printable("ääääääääääääääääääää", longest).find('\\') == std::string::npos);
        CHECK(printable("日日日日日日日日日日日日日日", longest).find('\\') == std::string::npos);
    }
    CHECK(printable(std::string(50, '\x80'), 9) == R"(…)");  // nothing but the middles of characters
}

TEST_CASE("quotes are marked inside of quotes") {
    CHECK(in_quotes("a") == R"("a")");
    CHECK(in_quotes("say \"a\"\x1b") == R"("say \"a\"\x1b")");
}

TEST_CASE("a list of problems ends after a hundred") {
    CHECK(listed(std::vector<std::string>{"a", "b"}) == "\n  a\n  b");
    CHECK(listed({}).empty());
    const std::string many = listed(std::vector<std::string>(5000, "x"));
    CHECK(many.starts_with("\n  x\n  x"));
    CHECK(many.ends_with("\n  x\n  and 4900 more"));
    CHECK(many.size() < 1000);
}

TEST_CASE("a message keeps its lines and its length") {
    const std::string lines = "one\n\ttwo" + std::string(1000, 'x');
    const auto shown = [](std::string_view text) {
        std::ostringstream stream;
        stream << printable_lines(text);
        return stream.str();
    };
    CHECK(shown(lines) == lines);
    CHECK(shown("one\r\x1b[2Jtwo") == R"(one\x0d\x1b[2Jtwo)");
}

}  // namespace vgg19::model
