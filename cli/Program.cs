using Cluster.Cli;

return await CommandLine.RunAsync(args, Surroundings.OfProcess());
