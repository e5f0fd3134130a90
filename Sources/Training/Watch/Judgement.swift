/// Who keeps a job from going on, as one rank sees it.
struct Judgement: Equatable {
  /// Seconds for which this rank has not gone on.
  var seconds: Double
  /// Ranks for which the others wait; empty if all have arrived.
  var suspects: [Int]
  /// Those of them that have given no sign of life for long: stopped, or cut off.
  var silent: [Int]
  /// Ranks of which nothing was ever heard.
  var unknown: [Int]
  /// The rank that reports it, so that it is said once.
  var speaker: Int

  /// Nil if this rank has gone on within `limit` seconds.
  ///
  /// Ranks that wait in a call that all ranks make are excused, as long as they give signs of life.
  /// If all of them wait, in different calls, those that are in the same place as most are excused.
  init?(_ table: WatchTable, limit: Double, now: Double) {
    let own = table.entries[table.rank]
    seconds = now - own.moved
    guard seconds >= limit else { return nil }
    let known = table.entries.indices.filter { table.entries[$0].number > 0 }
    let silent = known.filter { now - table.entries[$0].heard >= limit / 2 }
    var suspects = known.filter { rank in
      let entry = table.entries[rank]
      // What has not moved for nearly as long as this rank: news take a moment.
      return silent.contains(rank)
        || !entry.place.isWaiting && now - entry.moved >= 0.9 * limit
    }
    if suspects.isEmpty {
      suspects = Judgement.odd(among: known.map { ($0, table.entries[$0].place) })
    }
    self.suspects = suspects
    self.silent = silent
    unknown = table.entries.indices.filter { table.entries[$0].number == 0 }
    let present = known.filter { !silent.contains($0) }
    speaker = present.first { !suspects.contains($0) } ?? present.first ?? table.rank
  }

  /// Ranks that are elsewhere than most; all of them if there is no majority.
  private static func odd(among places: [(rank: Int, place: Place)]) -> [Int] {
    let groups = Dictionary(grouping: places, by: \.place.word).values.sorted {
      $0.count > $1.count
    }
    guard groups.count > 1 else { return [] }
    let isTie = groups[0].count == groups[1].count
    return groups.dropFirst(isTie ? 0 : 1).flatMap { $0.map(\.rank) }.sorted()
  }
}
