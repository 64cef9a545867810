#include "converter/import/pickle.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "converter/import/testing/pickle_writer.h"
#include "engine/testing/error_of.h"

namespace {

using namespace std::string_literals;  // for texts with zero bytes
using vgg19::ErrorKind;
using vgg19::converter::ByteReader;
using vgg19::converter::Pickle;
using vgg19::converter::PickleKind;
using vgg19::converter::PickleValue;
using vgg19::converter::testing::PickleWriter;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

/// The texts of the result are inside of `content`.
Pickle read(const std::string& content) {
    ByteReader reader(std::as_bytes(std::span(content)), "FILE", 0, content.size());
    return Pickle::read(reader);
}

std::string error(const std::string& content) {
    return error_of(ErrorKind::bad_input, [&] { read(content); });
}

std::string error(const PickleWriter& writer) {
    return error(writer.finished());
}

TEST_CASE("plain values are read") {
    const std::string content =
        PickleWriter(4)
            .raw("]("s)
            .raw("N\x88\x89"s)
            .raw("K\xffM\xff\xffJ\xfe\xff\xff\xff"s)
            .raw("\x8a\x00\x8a\x01\xff\x8a\x03\x00\x00\x80\x8b\x02\x00\x00\x00\x00\x01"s)
            .raw("G\xbf\xf8\x00\x00\x00\x00\x00\x00"s)
            .raw("\x8c\x02hiU\x02hoT\x03\x00\x00\x00who\x8d\x01\x00\x00\x00\x00\x00\x00\x00x"s)
            .raw("C\x01yB\x01\x00\x00\x00zX\x00\x00\x00\x00"s)
            .raw("e"s)
            .finished();
    const Pickle pickle = read(content);
    const PickleValue& list = pickle.root();
    REQUIRE(list.kind == PickleKind::list);
    REQUIRE(list.items.size() == 18);
    const auto at = [&](std::size_t i) -> const PickleValue& { return pickle.item(list, i); };
    CHECK(at(0).kind == PickleKind::none);
    CHECK(at(1).integer == 1);
    CHECK(at(2).kind == PickleKind::boolean);
    const std::vector<std::int64_t> integers = {255, 65535, -2, 0, -1, -8388608, 256};
    for (std::size_t i = 0; i < integers.size(); ++i) {
        CHECK(at(3 + i).kind == PickleKind::integer);
        CHECK(at(3 + i).integer == integers[i]);
    }
    CHECK(at(10).real == -1.5);
    const std::vector<std::string> texts = {"hi", "ho", "who", "x", "y", "z", ""};
    for (std::size_t i = 0; i < texts.size(); ++i) CHECK(at(11 + i).text == texts[i]);
    CHECK(at(15).kind == PickleKind::bytes);
    CHECK(at(17).kind == PickleKind::text);
}

TEST_CASE("an integer beyond 64 bits keeps its bytes") {
    const std::string content = PickleWriter()
                                    .raw(
                                        "\x8a\x09"s
                                        "123456789"s)
                                    .finished();
    const Pickle pickle = read(content);
    CHECK(pickle.root().kind == PickleKind::big_integer);
    CHECK(pickle.root().text == "123456789");
}

TEST_CASE("containers hold what was put into them, the memo gives a value again") {
    const std::string content = PickleWriter()
                                    .raw("}q\x00("s)
                                    .text("tuple")
                                    .raw("K\x01K\x02K\x03\x87r\x01\x00\x00\x00"s)
                                    .text("again")
                                    .raw("j\x01\x00\x00\x00"s)
                                    .text("set")
                                    .raw("\x8f(K\x01K\x02\x90"s)
                                    .raw("u"s)
                                    .text("self")
                                    .raw("h\x00s"s)
                                    .finished();
    const Pickle pickle = read(content);
    const PickleValue* tuple = pickle.find(pickle.root(), "tuple");
    REQUIRE(tuple != nullptr);
    CHECK(tuple->items.size() == 3);
    CHECK(pickle.item(*tuple, 2).integer == 3);
    CHECK(pickle.find(pickle.root(), "again") == tuple);
    CHECK(pickle.find(pickle.root(), "set")->items.size() == 2);
    CHECK(pickle.find(pickle.root(), "self") == &pickle.root());
    CHECK(pickle.find(pickle.root(), "other") == nullptr);
    CHECK(pickle.find(*tuple, "tuple") == nullptr);
}

TEST_CASE("an OrderedDict is a dict, and loses its attributes") {
    const std::string content = PickleWriter()
                                    .global("collections", "OrderedDict")
                                    .raw(")R"s)
                                    .text("key")
                                    .raw("Ns}"s)
                                    .text("_metadata")
                                    .raw("Nsb"s)
                                    .finished();
    const Pickle pickle = read(content);
    CHECK(pickle.root().items.size() == 2);
    CHECK(pickle.find(pickle.root(), "key") != nullptr);
    CHECK(pickle.find(pickle.root(), "_metadata") == nullptr);
}

TEST_CASE("an OrderedDict of Python 2 has its pairs in the call") {
    const std::string content = PickleWriter()
                                    .global("collections", "OrderedDict")
                                    .raw(
                                        "](](U\x01"s
                                        "aK\x05"s
                                        "e](U\x01"s
                                        "bK\x06"s
                                        "ee\x85R"s)
                                    .finished();
    const Pickle pickle = read(content);
    CHECK(pickle.root().kind == PickleKind::dict);
    CHECK(pickle.find(pickle.root(), "b")->integer == 6);
}

TEST_CASE("STACK_GLOBAL and MEMOIZE are read as newer protocols have them") {
    const std::string content = PickleWriter(5)
                                    .raw(
                                        "\x95\x22\x00\x00\x00\x00\x00\x00\x00\x8c\x0b"s
                                        "collections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94"s)
                                    .finished();
    CHECK(read(content).root().kind == PickleKind::dict);
}

TEST_CASE("a reader stands behind the STOP") {
    const std::string content = PickleWriter().raw("N").finished() + PickleWriter().raw("K\x07").finished();
    ByteReader reader(std::as_bytes(std::span(content)), "FILE", 0, content.size());
    CHECK(Pickle::read(reader).root().kind == PickleKind::none);
    CHECK(reader.offset() == 4);
    CHECK(Pickle::read(reader).root().integer == 7);
}

TEST_CASE("globals that a state dict does not need are refused by name and offset") {
    CHECK(
        error(PickleWriter().raw("N").global("os", "system")) ==
        Containing("FILE: byte 3: pickle: GLOBAL: expected a name that a state dict needs, found os.system"));
    CHECK(error(PickleWriter().global("builtins", "eval")) == Containing("found builtins.eval"));
    CHECK(error(PickleWriter().global("torch", "_rebuild_tensor_v2")) ==
          Containing("found torch._rebuild_tensor_v2"));
    CHECK(error(PickleWriter().global("torchvision.models.vgg", "VGG")) ==
          Containing("save its state_dict() instead"));
    CHECK(error(PickleWriter().global("a\x1b[31m", "b")) == Containing("found a?[31m.b"));
    CHECK(error(PickleWriter(4).text("posix").text("system").raw("\x93")) ==
          Containing("found posix.system"));
    CHECK(error(PickleWriter(4).raw("N").text("system").raw("\x93")) ==
          Containing("STACK_GLOBAL: expected two texts, found None and a text"));
    CHECK(error(PickleWriter().raw("cos")) == Containing("found no end of line"));
}

TEST_CASE("other calls are refused") {
    CHECK(error(PickleWriter().global("torch", "FloatStorage").raw(")R")) ==
          Containing("REDUCE: expected a function to call, found a global"));
    CHECK(error(PickleWriter().text("os.system").raw(")R")) == Containing("found a text"));
    CHECK(error(PickleWriter().raw("})R")) == Containing("found a dict"));
    CHECK(error(PickleWriter().global("collections", "OrderedDict").raw(")R)R")) ==
          Containing("found a dict"));
    CHECK(error(PickleWriter().global("collections", "OrderedDict").raw("]R")) ==
          Containing("OrderedDict: expected a tuple of 0 to 1 arguments, found a list of 0"));
    CHECK(error(PickleWriter().global("collections", "OrderedDict").raw("NN\x86R")) ==
          Containing("found a tuple of 2"));
    CHECK(error(PickleWriter().global("collections", "OrderedDict").raw("N\x85R")) ==
          Containing("expected a list of pairs, found None"));
    CHECK(error(PickleWriter().global("collections", "OrderedDict").raw("](NNe\x85R")) ==
          Containing("expected a pair, found None"));
    CHECK(error(PickleWriter().global("torch._utils", "_rebuild_tensor").raw("NNN\x87R")) ==
          Containing("_rebuild_tensor: expected a tuple of 4 to 4 arguments, found a tuple of 3"));
    CHECK(error(PickleWriter().global("torch._utils", "_rebuild_parameter").raw("NNN\x87R")) ==
          Containing("_rebuild_parameter: expected a tensor, found None"));
}

TEST_CASE("attributes are for an OrderedDict alone") {
    CHECK(error(PickleWriter().raw("}}b")) ==
          Containing("BUILD: expected a dict of attributes for an OrderedDict"));
    CHECK(error(PickleWriter().tensor("0", 1, 0, {1}, {1}).raw("}b")) ==
          Containing("found a dict for a tensor"));
    CHECK(error(PickleWriter().global("collections", "OrderedDict").raw(")RNb")) ==
          Containing("found None for a dict"));
}

TEST_CASE("operations that a state dict does not need are refused") {
    for (const char code : "ILSVFPdilo2gp\x81\x82\x83\x84\x92\x97\x98\xff"s) {
        CAPTURE(int{static_cast<unsigned char>(code)});
        CHECK(error(PickleWriter().raw("(").raw({&code, 1}).raw("0\n")) ==
              Containing("FILE: byte 3: pickle: operation: expected one that a state dict needs"));
    }
}

TEST_CASE("an empty stack and a missing mark are errors") {
    for (const std::string code :
         {"0", "a", "s", "q\x01", "\x85", "\x86", "\x87", "Q", "R", "b", "\x93", "\x94"}) {
        CAPTURE(code);
        CHECK(error(PickleWriter().raw(code)) == Containing("on the stack, found"));
        CHECK(error(PickleWriter().raw("NNN(").raw(code)) == Containing("on the stack, found"));
    }
    for (const std::string code : {"t", "e", "u", "1", "\x90", "\x91"}) {
        CAPTURE(code);
        CHECK(error(PickleWriter().raw("]").raw(code)) ==
              Containing("expected a mark on the stack, found none"));
    }
    CHECK(error(PickleWriter().raw("(e")) ==
          Containing("APPENDS: expected a value on the stack, found none"));
    CHECK(error(PickleWriter()) ==
          Containing("STOP: expected one value on the stack and no mark, found 0 and 0"));
    CHECK(error(PickleWriter().raw("NN")) == Containing("found 2 and 0"));
    CHECK(error(PickleWriter().raw("N(")) == Containing("found 1 and 1"));
}

TEST_CASE("only containers are added to") {
    CHECK(error(PickleWriter().raw("NNa")) == Containing("APPEND: expected a list to add to, found None"));
    CHECK(error(PickleWriter().raw("]NNs")) ==
          Containing("SETITEM: expected a dict to add to, found a list"));
    CHECK(error(PickleWriter().raw("}(Ne")) ==
          Containing("APPENDS: expected a list to add to, found a dict"));
    CHECK(error(PickleWriter().raw("}(NNNu")) == Containing("SETITEMS: expected pairs, found 3 values"));
    CHECK(error(PickleWriter().raw("](N\x90")) ==
          Containing("ADDITEMS: expected a set to add to, found a list"));
}

TEST_CASE("lengths beyond the end are refused before anything is allocated") {
    CHECK(error(PickleWriter().raw("X\xff\xff\xff\xff"s)) ==
          Containing("FILE: byte 7: expected 4294967295 bytes for BINUNICODE, found 1"));
    CHECK(error(PickleWriter().raw("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"s)) ==
          Containing("expected 18446744073709551615 bytes for BINUNICODE8"));
    CHECK(error(PickleWriter().raw("\x8b\xff\xff\xff\x7f"s)) ==
          Containing("expected 2147483647 bytes for LONG4"));
    CHECK(error(PickleWriter().raw("\x8b\xff\xff\xff\xff"s)) ==
          Containing("LONG4: expected a length, found -1"));
    CHECK(error(PickleWriter().raw("T\x00\x00\x00\x80"s)) ==
          Containing("BINSTRING: expected a length, found -2147483648"));
    CHECK(error(PickleWriter().raw("\x95\xff\xff\xff\xff\xff\xff\xff\xff"s)) ==
          Containing("FRAME: expected 18446744073709551615 bytes"));
    CHECK(error(PickleWriter().raw("Nr\xff\xff\xff\xff"s)) ==
          Containing("LONG_BINPUT: expected a memo index below"));
    CHECK(error(PickleWriter().raw("h\x05"s)) ==
          Containing("BINGET: expected a memo index that was set, found 5"));
    CHECK(error(PickleWriter().raw("Nq\x05"s
                                   "0h\x04"s)) == Containing("expected a memo index that was set, found 4"));
}

TEST_CASE("protocols are 2 to 5") {
    CHECK(error("N."s) == Containing("FILE: byte 0: pickle: PROTO: expected byte 128, found 78"));
    CHECK(error(PickleWriter(1)) == Containing("expected protocol 2 to 5, found 1"));
    CHECK(error(PickleWriter(6)) == Containing("expected protocol 2 to 5, found 6"));
}

TEST_CASE("a pickle that is cut off anywhere is an error") {
    const std::string content = PickleWriter().tensor("0", 4, 0, {2, 2}, {2, 1}).finished();
    read(content);
    for (std::size_t size = 0; size < content.size(); ++size) {
        CAPTURE(size);
        error(content.substr(0, size));
    }
}

TEST_CASE("deep nesting needs no deep stack") {
    std::string nested;
    for (int i = 0; i < 200000; ++i) nested += '(';
    nested += 'N';
    for (int i = 0; i < 200000; ++i) nested += 't';
    const std::string content = PickleWriter().raw(nested).finished();
    CHECK(read(content).root().kind == PickleKind::tuple);
}

TEST_CASE("a memo bomb stays as small as its file") {
    PickleWriter writer;
    writer.raw("Nq\x00"s);
    for (int i = 0; i < 100000; ++i) writer.raw("h\x00\x86q\x00"s);  // a pair of twice what was there before
    const std::string content = writer.raw("h\x00\x86"s).finished();
    CHECK(read(content).values().size() == 100002);
}

TEST_CASE("more operations than a state dict needs are refused") {
    std::string content = PickleWriter().finished();
    content.pop_back();
    for (std::size_t i = 0; i < vgg19::converter::most_pickle_operations; ++i) content += "N0";
    CHECK(error(content) == Containing("operation: expected at most 1048576 of them, found more"));
}

TEST_CASE("a long list of pairs cannot be copied over and over") {
    PickleWriter writer;
    writer.raw("]("s);
    for (int i = 0; i < 100000; ++i) writer.raw("NN\x86"s);
    writer.raw("e\x85q\x00"s);
    for (int i = 0; i < 1000; ++i) writer.global("collections", "OrderedDict").raw("h\x00R0"s);
    CHECK(error(writer) == Containing("expected at most 1048576 of them, found more"));
}

}  // namespace
