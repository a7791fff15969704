#include "tests/fakes/tiny_dns.hpp"

#include <arpa/inet.h>

#include <asio/buffer.hpp>

namespace clockmend::fakes {
namespace {

constexpr std::size_t kHeader = 12;
constexpr int kTypeA = 1;
constexpr int kTypeAaaa = 28;
constexpr int kNameError = 3;

void put16(std::string& out, unsigned value) {
  out += static_cast<char>((value >> 8) & 0xff);
  out += static_cast<char>(value & 0xff);
}

struct Question {
  std::string name;
  int type = 0;
  std::size_t end = 0;  // offset behind it
};

Question question_of(const std::string& query) {
  Question q;
  std::size_t at = kHeader;
  while (at < query.size() && query[at] != 0) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(query[at]));
    if (!q.name.empty()) q.name += '.';
    q.name += query.substr(at + 1, length);
    at += length + 1;
  }
  if (at + 5 <= query.size()) q.type = static_cast<unsigned char>(query[at + 1]) << 8 | static_cast<unsigned char>(query[at + 2]);
  q.end = std::min(at + 5, query.size());
  for (char& c : q.name) c = static_cast<char>(::tolower(c));
  return q;
}

// The address as record data if it is of the type asked for.
std::string record_data(const std::string& text, int type) {
  unsigned char bytes[16];
  if (type == kTypeA && ::inet_pton(AF_INET, text.c_str(), bytes) == 1) return {reinterpret_cast<char*>(bytes), 4};
  if (type == kTypeAaaa && ::inet_pton(AF_INET6, text.c_str(), bytes) == 1) return {reinterpret_cast<char*>(bytes), 16};
  return {};
}

}  // namespace

TinyDns::TinyDns(asio::io_context& io) : socket_(io, {asio::ip::make_address("127.0.0.1"), 0}) { receive(); }

std::string TinyDns::address() const { return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port()); }

void TinyDns::receive() {
  socket_.async_receive_from(asio::buffer(buffer_), client_, [this](const asio::error_code& ec, std::size_t size) {
    if (ec) return;
    ++queries;
    if (!silent) socket_.send_to(asio::buffer(answer({buffer_, size})), client_);
    receive();
  });
}

std::string TinyDns::answer(const std::string& query) const {
  const Question question = question_of(query);
  const auto found = names.find(question.name);
  const int code = rcode != 0 ? rcode : found == names.end() ? kNameError : 0;
  std::string records;
  unsigned count = 0;
  if (code == 0) {
    for (const std::string& text : found->second) {
      const std::string data = record_data(text, question.type);
      if (data.empty()) continue;
      put16(records, 0xc00c);  // the name: a pointer to the question
      put16(records, static_cast<unsigned>(question.type));
      put16(records, 1);
      records += std::string(4, '\0');  // TTL 0
      put16(records, static_cast<unsigned>(data.size()));
      records += data;
      ++count;
    }
  }
  std::string reply = query.substr(0, 2);
  put16(reply, 0x8180U | static_cast<unsigned>(code));
  put16(reply, 1);
  put16(reply, count);
  reply += std::string(4, '\0');
  return reply + query.substr(kHeader, question.end - kHeader) + records;
}

}  // namespace clockmend::fakes
