import Testing

@testable import Experiments

@Test(
  "sizes are powers of 1024",
  arguments: [
    ("0", 0), ("4096", 4096), ("1K", 1024), ("64KiB", 65536), ("100M", 104_857_600),
    ("1.5G", 1_610_612_736), ("0.5K", 512), ("2 M", 2_097_152),
  ] as [(String, Int)])
func sizes(text: String, bytes: Int) throws {
  #expect(try Quantity.bytes(text) == bytes)
}

@Test(
  "times have a unit",
  arguments: [
    ("500ns", 500e-9), ("2us", 2e-6), ("1.5ms", 1.5e-3), ("0s", 0), ("3 s", 3),
  ] as [(String, Double)])
func times(text: String, seconds: Double) throws {
  #expect(abs(try Quantity.seconds(text) - seconds) <= seconds.ulp)
}

@Test(
  "bandwidths are powers of 1000, in bytes or bits",
  arguments: [
    ("12.5GB/s", 12.5e9), ("100Gbit/s", 12.5e9), ("800Mbit/s", 100e6), ("3MB/s", 3e6),
    ("7KB/s", 7e3), ("9B/s", 9),
  ] as [(String, Double)])
func bandwidths(text: String, rate: Double) throws {
  #expect(try Quantity.bytesPerSecond(text) == rate)
}

@Test(
  "what cannot be read is named, with what can",
  arguments: [
    ("", "'' is not a size such as 64K or 100M"),
    ("-4", "'-4' is not a size such as 64K or 100M"),
    ("M", "'M' is not a size such as 64K or 100M"),
    (".5K", "'.5K' is not a size such as 64K or 100M"),
    ("1.2.3K", "'1.2.3K' is not a size such as 64K or 100M"),
    ("nan", "'nan' is not a size such as 64K or 100M"),
    ("5MB", "'MB' is not a unit of a size; the units are K, M, G, KiB, MiB, GiB"),
    ("1e9", "'e9' is not a unit of a size; the units are K, M, G, KiB, MiB, GiB"),
    ("1.5", "'1.5' is not a whole number of bytes up to 2^50"),
    ("9999999G", "'9999999G' is not a whole number of bytes up to 2^50"),
  ])
func unreadableSizes(text: String, message: String) {
  #expect(throws: QuantityError(message)) { try Quantity.bytes(text) }
}

@Test("a time or a bandwidth without a unit, or of nothing, is refused")
func unreadableOthers() {
  #expect(throws: QuantityError("'2' has no unit; the units are ns, us, ms, s")) {
    try Quantity.seconds("2")
  }
  #expect(
    throws: QuantityError(
      "'GB' is not a unit of a bandwidth; the units are B/s, KB/s, MB/s, GB/s, Mbit/s, Gbit/s")
  ) { try Quantity.bytesPerSecond("2GB") }
  #expect(throws: QuantityError("a bandwidth is more than nothing")) {
    try Quantity.bytesPerSecond("0GB/s")
  }
  #expect(throws: QuantityError.self) {
    try Quantity.seconds(String(repeating: "9", count: 400) + "s")
  }
}

@Test("a list has at least one part, and each is read")
func lists() throws {
  #expect(try Quantity.list("1K,2,3M", Quantity.bytes) == [1024, 2, 3 << 20])
  for text in ["", "1K,", ",", "1,,2"] {
    #expect(throws: QuantityError.self) { try Quantity.list(text, Quantity.bytes) }
  }
}

@Test(
  "times are written with three digits and the unit that suits them",
  arguments: [
    (0, "0 s"), (2e-9, "2.00 ns"), (9.996e-9, "10.0 ns"), (43.64e-3, "43.6 ms"),
    (99.96e-6, "100 us"), (999.6e-6, "1.00 ms"), (327.2e-3, "327 ms"), (12.345, "12.3 s"),
    (4000, "4000 s"),
  ] as [(Double, String)])
func writtenTimes(seconds: Double, text: String) {
  #expect(Quantity.text(seconds: seconds) == text)
}

@Test(
  "bytes are written with the unit that suits them",
  arguments: [
    (0, "0 B"), (1023, "1023 B"), (1023.6, "1.00 KiB"), (1536, "1.50 KiB"), (10_240, "10.0 KiB"),
    (102_400, "100 KiB"), (2_143_360, "2.04 MiB"), (0x1p31, "2.00 GiB"), (0x1p40, "1024 GiB"),
  ] as [(Double, String)])
func writtenBytes(bytes: Double, text: String) {
  #expect(Quantity.text(bytes: bytes) == text)
}
