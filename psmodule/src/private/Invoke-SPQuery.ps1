# Asks the core for something that changes nothing; results go into the pipeline one by one as they come.
function Invoke-SPQuery {
    param(
        $Conversation,

        [string]
        $Operation,

        [hashtable]
        $Parameter = @{}
    )
    $null = Invoke-SPCore -Conversation $Conversation -Operation $Operation -Parameter $Parameter -Stream
}
