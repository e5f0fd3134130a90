import Foundation
import TestSupport
import Testing

extension ProductTests.ClusterTests {
  /// Two hosts with a rank each, and something happens to the second one.
  /// - Parameters:
  ///   - act: what, in bash: `$rank` is the process of rank 1, `$network` the second host's.
  ///   - options: of `lockstep launch`.
  private func fault(
    _ act: String, options: String = "", settings: [String] = ["training.epochs=1000000"]
  ) throws -> (result: Command.Result, directory: TemporaryDirectory) {
    let folder = try TemporaryDirectory()
    let file = try folder.file("small.yaml", smallConfiguration)
    let settings = ["log.every-steps=100", "training.stall-seconds=4"] + settings
    let line = """
      "$0" launch -n 2 \(options) --hostfile "$CLUSTER_HOSTFILE" "$@" >&2 & job=$!
      for i in $(seq 400); do grep -qs '"event":"step"' run/metrics.jsonl && break; sleep 0.1; done
      # News of steps travel to the other host.
      sleep 1
      # Those of this job, and of the given number.
      ranks() {
        local pid
        for pid in $(pgrep -f -- "$PWD/small.yaml"); do
          tr '\\0' '\\n' </proc/$pid/environ | grep -q "^PMIX_RANK=$1" && echo $pid
        done 2>/dev/null
      }
      rank=$(ranks 1)
      network=$(basename $(dirname "$CLUSTER_HOSTFILE") -cluster)-2
      \(act)
      wait $job; code=$?
      for i in $(seq 100); do [ -n "$(ranks)" ] || break; sleep 0.1; done
      ranks
      exit $code
      """
    let result = try Command(
      [Self.tool, "--slots", "1", "2", "--", "bash", "-c", line, Launching.lockstep, "train", file]
        + ["--quiet", "--output", folder.path + "/run"] + settings.flatMap { ["--set", $0] },
      environment: Self.environment, directory: folder.path, timeLimit: 120
    ).run()
    // Whoever is still there at the end has been listed.
    #expect(result.output.isEmpty, "\(result.output)")
    return (result, folder)
  }

  @Test(
    "a rank that is stopped on another host is named, with what it was doing",
    .thorough,
    .enabled(if: obstacle == nil, "no cluster can be made here: \(obstacle ?? "")"))
  func stoppedElsewhere() throws {
    let result = try fault("kill -STOP $rank").result
    #expect(result.status == 69, "\(result.errors)")
    #expect(
      result.errors.contains("error: no progress for 8 s: rank 1 on host2: step "),
      "\(result.errors)")
    #expect(result.errors.contains("no sign of life for "), "\(result.errors)")
  }

  @Test(
    "a rank that is killed on another host is named",
    .enabled(if: obstacle == nil, "no cluster can be made here: \(obstacle ?? "")"))
  func killedElsewhere() throws {
    let result = try fault("kill -KILL $rank").result
    #expect(result.status == 69, "\(result.errors)")
    #expect(
      result.errors.contains("error: rank 1 on host2 was ended by signal 9 (Killed)"),
      "\(result.errors)")
  }

  @Test(
    "a host that is cut off ends the job and is named",
    .thorough,
    .enabled(if: obstacle == nil, "no cluster can be made here: \(obstacle ?? "")"))
  func cutOff() throws {
    let result = try fault("ip -n $network link set eth0 down").result
    #expect(result.status == 69, "\(result.errors)")
    #expect(result.errors.contains("host2"), "\(result.errors)")
  }

  @Test(
    "a file that one host cannot read is named with its rank, and no run begins",
    .enabled(if: obstacle == nil, "no cluster can be made here: \(obstacle ?? "")"))
  func unreadableElsewhere() throws {
    let folder = try TemporaryDirectory()
    _ = try folder.file("x.idx", [0, 0, 8, 1, 0, 0, 0, 6] + (0..<6))
    // Each host has a /dev/shm of its own.
    let file = try folder.file(
      "c.yaml",
      """
      data: {format: idx, train: {features: /dev/shm/x.idx, targets: /dev/shm/x.idx}}
      model: [{dense: 1}]
      loss: squared-error
      training: {batch-size: 2, max-steps: 3}
      output: \(folder.path)/run
      """)
    for prepare in ["cp x.idx /dev/shm", "true"] {
      let line = "\(prepare); exec \"$0\" launch -n 2 --hostfile \"$CLUSTER_HOSTFILE\" train \"$1\""
      let result = try Command(
        [Self.tool, "--slots", "1", "2", "--", "bash", "-c", line, Launching.lockstep, file],
        environment: Self.environment, directory: folder.path, timeLimit: 60
      ).run()
      #expect(result.status == 66, "\(result.errors)")
      #expect(result.errors.contains("/dev/shm/x.idx"), "\(result.errors)")
      // Where none has it, it is nobody's fault.
      #expect(result.errors.contains("host2") == (prepare != "true"), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
    }
  }
}
