#include "agent/host/backlog.hpp"

#include <gtest/gtest.h>

namespace clockmend::host {
namespace {

// As the kernel prints it: a served client (state 03), one in the queue (02), the listener itself (01).
constexpr const char* kTable =
    "Num       RefCount Protocol Flags    Type St Inode Path\n"
    "0000000092663789: 00000003 00000000 00000000 0001 03 57041 /run/vm1/port.sock\n"
    "000000003ca0806a: 00000003 00000000 00000000 0001 02     0 /run/vm1/port.sock\n"
    "00000000d069efbd: 00000002 00000000 00010000 0001 01 57039 /run/vm1/port.sock\n"
    "00000000d069efbe: 00000002 00000000 00010000 0001 03 57040\n"
    "00000000d069efbf: 00000002 00000000 00010000 0001 03 57042 /run/vm2/port.sock\n"
    "00000000d069efc0: 00000002 00000000 00010000 0001 02 0 monitor.sock\n";

TEST(Backlog, SeesTheWaitingConnectionOfThisPathOnly) {
  EXPECT_TRUE(waits_in_backlog(kTable, "/run/vm1/port.sock"));
  EXPECT_FALSE(waits_in_backlog(kTable, "/run/vm2/port.sock"));
  EXPECT_FALSE(waits_in_backlog(kTable, "/run/vm1/port"));
}

TEST(Backlog, ComparesARelativeNameByItsLastPart) {
  EXPECT_TRUE(waits_in_backlog(kTable, "/run/vm3/monitor.sock"));
  EXPECT_FALSE(waits_in_backlog(kTable, "/run/vm3/other.sock"));
}

TEST(Backlog, SurvivesTablesThatAreNoTables) {
  for (const char* table : {"", "\n\n", "02", "a b c d e 02", "a b c d e 02 0 ", "a b c d e 02 0"})
    EXPECT_FALSE(waits_in_backlog(table, "/x")) << table;
}

}  // namespace
}  // namespace clockmend::host
