#include "converter/import/pickle.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "converter/import/testing/pickle_writer.h"
#include "engine/testing/error_of.h"

namespace {

using namespace std::string_literals;  // for texts that contain zero bytes
using vgg19::ErrorKind;
using vgg19::converter::ByteReader;
using vgg19::converter::no_reference;
using vgg19::converter::Pickle;
using vgg19::converter::PickleKind;
using vgg19::converter::PickleObject;
using vgg19::converter::PickleValue;
using vgg19::converter::testing::PickleWriter;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

/// Texts in the result are views into `content`.
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
    REQUIRE(pickle.items(list).size() == 18);
    const auto at = [&](std::size_t i) -> const PickleValue& { return pickle.item(list, i); };
    CHECK(at(0).kind == PickleKind::none);
    CHECK(at(1).integer == 1);
    CHECK(at(2).kind == PickleKind::boolean);
    const std::vector<std::int64_t> integers = {255, 65535, -2, 0, -1, -8388608, 256};
    for (std::size_t i = 0; i < integers.size(); ++i) {
        CHECK(at(3 + i).kind == PickleKind::integer);
        CHECK(at(3 + i).integer == integers[i]);
    }
    CHECK(at(10).real() == -1.5);
    const std::vector<std::string> texts = {"hi", "ho", "who", "x", "y", "z", ""};
    for (std::size_t i = 0; i < texts.size(); ++i) CHECK(at(11 + i).text() == texts[i]);
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
    CHECK(pickle.root().text() == "123456789");
}

TEST_CASE("containers hold their items, and the memo returns a value again") {
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
    CHECK(pickle.items(*tuple).size() == 3);
    CHECK(pickle.item(*tuple, 2).integer == 3);
    CHECK(pickle.find(pickle.root(), "again") == tuple);
    CHECK(pickle.items(*pickle.find(pickle.root(), "set")).size() == 2);
    CHECK(pickle.find(pickle.root(), "self") == &pickle.root());
    CHECK(pickle.find(pickle.root(), "other") == nullptr);
    CHECK(pickle.find(*tuple, "tuple") == nullptr);
}

TEST_CASE("a call becomes an object, which records everything set and appended") {
    const std::string content = PickleWriter()
                                    .global("collections", "OrderedDict")
                                    .raw(")R"s)
                                    .text("key")
                                    .raw("Ns}"s)
                                    .text("_metadata")
                                    .raw(
                                        "Nsb(K\x07K\x08"s
                                        "e"s)
                                    .finished();
    const Pickle pickle = read(content);
    const PickleObject* object = pickle.object(pickle.root());
    REQUIRE(object != nullptr);
    CHECK(pickle.callable(pickle.root())->is("collections", "OrderedDict"));
    CHECK(pickle.items(pickle.at(object->arguments)).empty());
    CHECK(pickle.find(pickle.at(object->pairs), "key")->kind == PickleKind::none);
    CHECK(pickle.find(pickle.at(object->state), "_metadata") != nullptr);
    CHECK(pickle.item(pickle.at(object->elements), 1).integer == 8);
    CHECK(pickle.describe_value(pickle.root()) == "a collections.OrderedDict");
}

TEST_CASE("objects are created by every operation that pickles have") {
    for (const std::string code : {"cargparse\nNamespace\nK\x05\x85R", "cargparse\nNamespace\nK\x05\x85\x81",
                                   "cargparse\nNamespace\nK\x05\x85}\x92", "(K\x05iargparse\nNamespace\n",
                                   "(cargparse\nNamespace\nK\x05o"}) {
        CAPTURE(code);
        const std::string content = PickleWriter().raw(code).finished();
        const Pickle pickle = read(content);
        CHECK(pickle.describe_value(pickle.root()) == "an argparse.Namespace");
        const PickleObject* object = pickle.object(pickle.root());
        REQUIRE(object != nullptr);
        CHECK(pickle.item(pickle.at(object->arguments), 0).integer == 5);
        CHECK(object->state == no_reference);
    }
    const std::string content =
        PickleWriter().global("a", "b").raw(")}").text("name").raw("Ns\x92").finished();
    const Pickle pickle = read(content);
    const PickleValue& arguments = pickle.at(pickle.object(pickle.root())->arguments);
    CHECK(pickle.find(pickle.item(arguments, 1), "name") != nullptr);
}

TEST_CASE("attributes may be set twice, and on values that are not objects") {
    const std::string twice = PickleWriter()
                                  .global("a", "b")
                                  .raw(
                                      ")\x81K\x01"s
                                      "bK\x02"s
                                      "b"s)
                                  .finished();
    const Pickle object = read(twice);
    const PickleValue& states = object.at(object.object(object.root())->state);
    REQUIRE(object.items(states).size() == 2);
    CHECK(object.item(states, 1).integer == 2);
    const std::string content = PickleWriter()
                                    .raw(
                                        "]K\x01"s
                                        "b"s)
                                    .finished();
    const Pickle list = read(content);
    CHECK(list.at(list.attributes(list.root_reference())).integer == 1);
    CHECK(error(PickleWriter().raw("NNb")) ==
          Containing("BUILD: expected an object to give attributes to, found None"));
}

TEST_CASE("protocol 0 stores values as lines") {
    const std::string content =
        "(lp0\nI01\naI-7\naI123456789012345678901234567890\naL5L\naF-1.5\naF1e-05\na"
        "S'it\\'s \\x41\\n'\naVa\\u00e4\\U0001F600\xe4\naS\"plain\"\nag0\na(dp1\nS'k'\nNs"
        "aPan id\na2K\x01"
        "0a."s;
    const Pickle pickle = read(content);
    const auto at = [&](std::size_t i) -> const PickleValue& { return pickle.item(pickle.root(), i); };
    REQUIRE(pickle.items(pickle.root()).size() == 13);
    CHECK(at(0).kind == PickleKind::boolean);
    CHECK(at(1).integer == -7);
    CHECK(at(2).kind == PickleKind::big_integer);
    CHECK(at(3).integer == 5);
    CHECK(at(4).real() == -1.5);
    CHECK(at(5).real() == 1e-05);
    CHECK(at(6).text() == "it's A\n");
    CHECK(at(7).text() == "a\xc3\xa4\xf0\x9f\x98\x80\xc3\xa4");
    CHECK(at(8).text() == "plain");
    CHECK(&at(9) == &pickle.root());
    CHECK(pickle.find(at(10), "k") != nullptr);
    CHECK(pickle.item(at(11), 0).text() == "an id");
    CHECK(at(11).kind == PickleKind::persistent_id);
    CHECK(&at(12) == &pickle.root());
    CHECK(error("I1x\n."s) == Containing("INT: expected an integer, found 1x"));
    CHECK(error("Lx\n."s) == Containing("LONG: expected an integer, found x"));
    CHECK(error("F\n."s) == Containing("FLOAT: expected a float, found"));
    CHECK(error("Sx\n."s) == Containing("STRING: expected a text in quotes, found x"));
    CHECK(error("Np-1\n."s) == Containing("PUT: expected a memo index, found -1"));
    CHECK(error("g7\n."s) == Containing("GET: expected a memo index that was set, found 7"));
    CHECK(error("I5"s) == Containing("found no end of line"));
}

TEST_CASE("STACK_GLOBAL and MEMOIZE of newer protocols are read") {
    const std::string content = PickleWriter(5)
                                    .raw(
                                        "\x95\x22\x00\x00\x00\x00\x00\x00\x00\x8c\x0b"s
                                        "collections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94"s)
                                    .finished();
    const Pickle pickle = read(content);
    CHECK(pickle.callable(pickle.root())->is("collections", "OrderedDict"));
}

TEST_CASE("the reader is positioned after STOP") {
    const std::string content = PickleWriter().raw("N").finished() + PickleWriter().raw("K\x07").finished();
    ByteReader reader(std::as_bytes(std::span(content)), "FILE", 0, content.size());
    CHECK(Pickle::read(reader).root().kind == PickleKind::none);
    CHECK(reader.offset() == 4);
    CHECK(Pickle::read(reader).root().integer == 7);
}

TEST_CASE("every name is accepted and stored once") {
    const std::string content = PickleWriter(4)
                                    .raw("(")
                                    .global("os", "system")
                                    .text("posix")
                                    .text("system")
                                    .raw("\x93"s)
                                    .global("os", "system")
                                    .raw("\x82\x07t"s)
                                    .finished();
    const Pickle pickle = read(content);
    const auto at = [&](std::size_t i) { return pickle.describe_value(pickle.item(pickle.root(), i)); };
    CHECK(at(0) == "the name os.system");
    CHECK(at(1) == "the name posix.system");
    CHECK(at(3) == "the name copyreg.extension 7");
    CHECK(&pickle.item(pickle.root(), 0) == &pickle.item(pickle.root(), 2));
    CHECK(pickle.global(pickle.item(pickle.root(), 1))->module == "posix");
    CHECK(error(PickleWriter(4).raw("N").text("system").raw("\x93")) ==
          Containing("FILE: byte 14: pickle: STACK_GLOBAL: expected two texts, found None and a text"));
    CHECK(error(PickleWriter().raw("cos")) == Containing("found no end of line"));
    const std::string hostile = PickleWriter().global("a\x1b[31m", "b").finished();
    const Pickle name = read(hostile);
    CHECK(name.describe_value(name.root()) == R"(the name a\x1b[31m.b)");
}

TEST_CASE("no function is called") {
    const std::string content = PickleWriter().global("os", "system").text("exit 1").raw("\x85R").finished();
    const Pickle pickle = read(content);
    CHECK(pickle.describe_value(pickle.root()) == "an os.system");
    CHECK(error(PickleWriter().raw("(o")) ==
          Containing("OBJ: expected a class above the mark, found nothing"));
}

TEST_CASE("unknown operations and out-of-band buffers are refused") {
    for (const char code : "A\x7f\x99\xff"s) {
        CAPTURE(int{static_cast<unsigned char>(code)});
        CHECK(error(PickleWriter().raw("(").raw({&code, 1}).raw("0\n")) ==
              Containing("FILE: byte 3: pickle: operation: expected one that pickles have, found byte 0x"));
    }
    CHECK(error(PickleWriter(5).raw("\x97")) == Containing("NEXT_BUFFER: expected all data in the file"));
    CHECK(error(PickleWriter(5).raw("N\x98")) ==
          Containing("READONLY_BUFFER: expected all data in the file"));
}

TEST_CASE("an empty stack and a missing mark are errors") {
    for (const std::string code :
         {"a", "s", "q\x01", "\x85", "\x86", "\x87", "Q", "R", "b", "\x93", "\x94", "\x81", "\x92", "2"}) {
        CAPTURE(code);
        CHECK(error(PickleWriter().raw(code)) == Containing("on the stack, found"));
        CHECK(error(PickleWriter().raw("NNN(").raw(code)) == Containing("on the stack, found"));
    }
    CHECK(error(PickleWriter().raw("0")) == Containing("POP: expected a value on the stack, found none"));
    for (const std::string code : {"t", "e", "u", "1", "\x90", "\x91", "l", "d", "o", "ia\nb\n"}) {
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

TEST_CASE("items can be added only to containers") {
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

TEST_CASE("protocols are 0 to 5") {
    const std::string none = "N.";
    CHECK(read(none).root().kind == PickleKind::none);
    for (int protocol = 0; protocol <= 5; ++protocol) {
        const std::string content = PickleWriter(protocol).raw("N").finished();
        CHECK(read(content).root().kind == PickleKind::none);
    }
    CHECK(error(PickleWriter(6)) ==
          Containing("FILE: byte 0: pickle: PROTO: expected protocol 0 to 5, found 6"));
}

TEST_CASE("a truncated pickle is an error") {
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
    for (int i = 0; i < 100000; ++i)
        writer.raw("h\x00\x86q\x00"s);  // a pair that holds the previous value twice
    const std::string content = writer.raw("h\x00\x86"s).finished();
    CHECK(read(content).size() == 100002);
}

TEST_CASE("more operations than a checkpoint needs are refused") {
    std::string content = PickleWriter().finished();
    content.pop_back();
    for (std::size_t i = 0; i < vgg19::converter::most_pickle_operations / 2; ++i) content += "(1";
    CHECK(error(content) == Containing("operation: expected at most 16777216 of them, found more"));
}

TEST_CASE("a value is small, and a memo is no larger than its file") {
    CHECK(sizeof(PickleValue) == 24);
    CHECK(error(PickleWriter().raw("Nr\x00\x01\x00\x00"s)) ==
          Containing("LONG_BINPUT: expected a memo index below 9, found 256"));
}

}  // namespace
