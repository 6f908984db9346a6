# Sums up `perf report --no-children --stdio -t';' --sort comm,dso,symbol` as rows of a Markdown table: which kind of work
# takes what share of the samples. The first pattern that fits a line counts.
BEGIN {
  FS = ";"
  kinds = split("reading and writing JSON,compression (zstd),librdkafka and its queue,judging and completing events,HTTP and tokio,memory: allocation copies comparison,the kernel: network and switching between threads,other", kind, ",")
  pattern[1] = "serde|raw::body|skip_to_escape|itoa|ryu"
  pattern[2] = "ZSTD|HUF_|FSE_|HIST_|XXH"
  pattern[3] = "rd_kafka|rdkafka|clickstream_log|;rdk:|kafka-reports|crc32"
  pattern[4] = "clickstream_event|clickstream_collect|clickstream_sites|ua_parser|regex|aho_corasick|url::|idna|jiff|uuid|percent_encoding"
  pattern[5] = "hyper|http|axum|tower|tokio|mio::|futures"
  pattern[6] = "rjem|je_|malloc|calloc|realloc|rallocx|cfree|mem(cpy|move|set|cmp)|alloc::"
}
/^#/ || NF < 4 { next }
{
  share = $1 + 0
  # The thread's name belongs to the pattern of librdkafka alone.
  thread = $2; object = $3; symbol = $4
  total += share
  if (object ~ /kernel|vdso/) { sum[7] += share; next }
  for (n = 1; n < 7; n++) {
    if ((n == 3 ? ";" thread symbol : symbol) ~ pattern[n]) { sum[n] += share; next }
  }
  sum[kinds] += share
}
END {
  print "| work of the collector | share of its time |"
  print "|---|---|"
  for (n = 1; n <= kinds; n++) printf "| %s | %.0f %% |\n", kind[n], 100 * sum[n] / total
}
