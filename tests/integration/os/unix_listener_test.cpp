// The control socket with real clients.
#include "agent/os/unix_listener.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "agent/os/stream_socket.hpp"
#include "tests/fakes/real_loop.hpp"
#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

using core::ErrorCode;
using core::StreamState;
using std::chrono::milliseconds;

struct Socket : testing::Test {
  asio::io_context io;
  fakes::TempDir dir;
  std::string path = dir.path() + "/control.sock";
  std::unique_ptr<UnixListener> listener = std::make_unique<UnixListener>(io, ListenerPlace{path, 0660, 3});
  std::vector<std::unique_ptr<core::ByteStream>> clients;
  std::vector<core::PeerCredentials> peers;
  std::string received;
  std::vector<StreamState> states;

  void start() {
    const auto started = listener->start([this](std::unique_ptr<core::ByteStream> client, core::PeerCredentials peer) {
      client->start([this](std::string_view bytes, core::Arrival) { received += bytes; },
                    [this](StreamState state, const std::string&) { states.push_back(state); });
      clients.push_back(std::move(client));
      peers.push_back(peer);
    });
    ASSERT_TRUE(started.ok()) << started.error().text;
  }
  UniqueFd connect() {
    auto fd = connect_local(path);
    EXPECT_TRUE(fd.ok());
    return fd ? std::move(fd).value() : UniqueFd{};
  }
  bool until_clients(std::size_t count) {
    return fakes::run_until(io, [&] { return clients.size() == count; });
  }
};

std::string read_some(int fd) {
  char buffer[65536];
  const ssize_t n = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  return n <= 0 ? std::string{} : std::string(buffer, static_cast<std::size_t>(n));
}

bool at_end(int fd) {
  char byte = 0;
  return ::recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

TEST_F(Socket, ServesAClientAndKnowsWhoItIs) {
  start();
  struct stat info {};
  ASSERT_EQ(::lstat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0660U);
  const UniqueFd client = connect();
  ASSERT_TRUE(until_clients(1));
  EXPECT_EQ(peers[0].uid, ::geteuid());
  EXPECT_EQ(peers[0].pid, ::getpid());
  EXPECT_EQ(static_cast<int>(peers[0].groups.size()), ::getgroups(0, nullptr));
  ::send(client.get(), "ask\n", 4, 0);
  ASSERT_TRUE(fakes::run_until(io, [&] { return received == "ask\n"; }));
  EXPECT_TRUE(clients[0]->send("answer\n").ok());
  EXPECT_EQ(read_some(client.get()), "answer\n");
}

TEST_F(Socket, ReportsALeavingClientOnce) {
  start();
  UniqueFd client = connect();
  ASSERT_TRUE(until_clients(1));
  client.reset();
  ASSERT_TRUE(fakes::run_until(io, [&] { return !states.empty(); }));
  fakes::run_for(io, milliseconds{20});
  EXPECT_EQ(states, std::vector{StreamState::closed});
  EXPECT_EQ(clients[0]->send("x").error().code, ErrorCode::unavailable);
}

TEST_F(Socket, WhatWasQueuedIsWrittenEvenWhenTheStreamGoesRightAfter) {
  start();
  const UniqueFd client = connect();
  ASSERT_TRUE(until_clients(1));
  int small = 4096;
  const std::string reply(core::ByteStream::kOutgoingLimit - 1, 'r');
  (void)::setsockopt(client.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  std::size_t sent = 0;
  while (clients[0]->pending() == 0 && clients[0]->send(reply).ok()) sent += reply.size();
  clients[0]->close();
  clients.clear();
  std::size_t got = 0;
  EXPECT_TRUE(fakes::run_until(io, [&] {
    got += read_some(client.get()).size();
    return got == sent;
  }));
  EXPECT_TRUE(fakes::run_until(io, [&] { return at_end(client.get()); }));
}

TEST_F(Socket, AClientThatNeverReadsIsBoundedAndDoesNotHoldUsUp) {
  start();
  const UniqueFd client = connect();
  ASSERT_TRUE(until_clients(1));
  core::Status status = core::success();
  for (int i = 0; i < 1000 && status.ok(); ++i) status = clients[0]->send(std::string(4096, 'x'));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::busy);
  EXPECT_LE(clients[0]->pending(), core::ByteStream::kOutgoingLimit);
}

TEST_F(Socket, TheNumberOfClientsIsBounded) {
  start();
  std::vector<UniqueFd> fds;
  for (int i = 0; i < 3; ++i) fds.push_back(connect());
  ASSERT_TRUE(until_clients(3));
  const UniqueFd fourth = connect();
  EXPECT_TRUE(fakes::run_until(io, [&] { return at_end(fourth.get()); }));
  EXPECT_EQ(clients.size(), 3U);
  clients.erase(clients.begin());  // one leaves: there is room again
  const UniqueFd fifth = connect();
  EXPECT_TRUE(until_clients(3));
}

TEST_F(Socket, AStaleSocketIsReplacedALiveOneIsNot) {
  start();
  UnixListener second{io, {path, 0660, 3}};
  const auto busy = second.start([](auto, auto) {});
  ASSERT_FALSE(busy.ok());
  EXPECT_EQ(busy.error().code, ErrorCode::busy);
  // A crashed agent leaves the file: bound, with nobody behind it.
  const std::string left = dir.path() + "/left.sock";
  {
    UnixListener crashed{io, {left, 0660, 3}};
    ASSERT_TRUE(crashed.start([](auto, auto) {}).ok());
    std::filesystem::rename(left, left + ".keep");
  }
  std::filesystem::rename(left + ".keep", left);
  UnixListener next{io, {left, 0660, 3}};
  EXPECT_TRUE(next.start([](auto, auto) {}).ok());
  EXPECT_TRUE(connect_local(left).ok());
}

TEST_F(Socket, SomethingElseInTheWayIsLeftAlone) {
  dir.put("/control.sock", "precious");
  const auto started = listener->start([](auto, auto) {});
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, ErrorCode::invalid);
  EXPECT_EQ(dir.get("/control.sock"), "precious");
}

TEST_F(Socket, ItsFileGoesWithItButNotSomebodyElses) {
  start();
  EXPECT_TRUE(std::filesystem::exists(path));
  listener.reset();
  EXPECT_FALSE(std::filesystem::exists(path));

  listener = std::make_unique<UnixListener>(io, ListenerPlace{path, 0660, 3});
  start();
  std::filesystem::remove(path);
  dir.put("/control.sock", "somebody else's");
  listener.reset();
  EXPECT_EQ(dir.get("/control.sock"), "somebody else's");
}

TEST_F(Socket, AFloodingClientLeavesTurnsToOthers) {
  start();
  const UniqueFd flooder = connect();
  ASSERT_TRUE(until_clients(1));
  const std::string flood(150'000, 'x');
  (void)::send(flooder.get(), flood.data(), flood.size(), MSG_DONTWAIT);
  io.restart();
  ASSERT_EQ(io.run_one_for(std::chrono::seconds{5}), 1U);
  EXPECT_LE(received.size(), 16U * 4096U);
}

}  // namespace
}  // namespace clockmend::os
