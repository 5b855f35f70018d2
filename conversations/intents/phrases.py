"""The phrases of each intent, as regular expressions over plain words: small letters, single blanks, no apostrophes.

Chinese is simplified and without blanks. A phrase stands for a whole clause; what may be left out around it (a greeting,
"please", 请问) is taken away before. Repetitions are possessive or fixed in length: no clause has many ways to be read.
"""

from __future__ import annotations

from conversations.intents.kinds import Intent
from knowledge.search.terms import words

# Words whose slips of the pen are put right; all of them tell an intent.
KEY_WORDS = words("""
    hi hello hey howdy hiya hallo morning afternoon evening greetings thanks thank thx cheers appreciate appreciated bye goodbye
    goodnight farewell later help person people human someone somebody agent representative operator employee colleague manager
    supervisor customer service support speak talking speaking chatting connect transfer please robot chatbot machine computer
    unacceptable ridiculous disappointed disappointing angry furious terrible horrible disgusting complaint complain annoyed
    frustrated where when order orders parcel package shipment delivery purchase status track tracking arrive arrived delivered
    shipped ok okk great perfect want would like with your this that what about
""")

# Words of their own that are one slip away from those.
NO_SLIPS = words("""
    were than late states deliver customers world parcels think arrives steak tank older purchases taking services root truck
    computers supports
    compliant purchased employed packages delivers machines layer tracks trick employees employer serviced abort
    latter managers managed representatives connects humans hell liter mornings robots complaints persons greeting hall speaks
    transfers operators tract agents shipments deliveries arriving speaker thing things pleased greater cheese chess hull bots
    parson humane delivering serving roots robust trace tracked people peoples compute orderly ordered odder arrival shopped
    anger hungry hello cheer cheek shipper laser cater water mangers supporter supported status statue statute hillo jello
""")

# What stands around an intent and says nothing by itself.
POLITE_BEFORE = (
    r"^(?:(?:please|pls|plz|thanks|thank you|ok|okay|hi|hello|hey|sorry|excuse me|yes|no|nope|well|so|but|and"
    r"|also|then|now|dear"
    r"|good (?:morning|afternoon|evening|day)|actually|honestly|seriously|hi there|hello there)(?: |$))++"
)
POLITE_AFTER = (
    r"(?: (?:please|pls|plz|thanks|thank you|now|right now|then|though|already|today|again|right|asap|immediately"
    r"|again|sir"
    r"|madam|mate|ok|okay|anyway|instead|if (?:i may|you dont mind)|by the way|by chance|if i may ask"
    r"|do you know))++$"
)
POLITE_BEFORE_ZH = (
    "^(?:请问一下|请问|请|麻烦(?:你|您)?|你好|您好|好的|那个|那|我说|拜托|喂|嗨|不好意思|对不起|还是|算了|直接)+(?=.)"
)
POLITE_AFTER_ZH = "(?:谢谢你?|好吗|可以吗|行吗|行不行|好不好|一下|吧|啊|呀|吗|嘛|么|呢|哦|哈|了|啦|哎|唉)+$"

# -- a person ---------------------------------------------------------------------------------------------------------

_ROLE = (
    r"(?:persons?|people|humans?(?: beings?)?|someone|somebody|anyone|anybody|agents?|representatives?|reps?"
    r"|operators?|advisors?"
    r"|advisers?|assistants?|employees?|staff(?: members?)?|colleagues?|managers?|supervisors?"
    r"|customer (?:service|support|care)(?: (?:agents?|people|person|team|representative|rep|staff))?"
    r"|support (?:agents?|team|person|people|staff)|service (?:agents?|team|people)|support|(?:the|your) team)"
)
WHOM = (
    r"(?:(?:a|an|the|some|any|your|one of your|one of the) )?(?:(?:real|live|actual|human|proper|other|different"
    r"|real live) )?"
    + _ROLE
    + r"(?: (?:else|there|on the (?:team|phone))| (?:from|in|at|of|on) (?:your|the) (?:team|company|shop|store"
    r"|office|staff|support|side))?"
)
_JUST = r"(?:(?:please|just|maybe|also|now|really|rather|finally|still|actually|possibly|perhaps|kindly|better) )?"
_CONTACT = (
    r"(?:(?:talk|speak|chat|write)(?: (?:to|with))?|get|get in touch with|get hold of|have|reach|contact|meet"
    r"|be (?:connected|transferred|put through|passed|forwarded|handed(?: over)?) (?:to|with))"
)
_PUT_ME_THROUGH = (
    r"(?:(?:connect|transfer|forward|hand|put|pass|refer) (?:me|us) (?:over |through |on )?(?:to|with)|get me|give me"
    r"|let me (?:talk|speak|chat) (?:to|with))"
)
_ASKING = r"(?:(?:can|could|may|might|shall) (?:i|we))"
_WISHING = (
    r"(?:(?:i|we) "
    + _JUST
    + r"(?:want|need|wish|would like|would love|would prefer|would rather|prefer|demand|insist on|require|have)"
    r"|(?:id|wed) " + _JUST + r"(?:like|love|prefer|rather)|i wanna|i gotta)"
)
_ABOUT = (
    r"(?: (?:about|regarding|concerning|because|since|who|that|to (?:help|discuss|sort|fix|solve|resolve|explain"
    r"|clear|handle|look)"
    r"|for (?:help|this|that)|and not|not) .{1,80}+)?"
)
PERSON_WISHES = (
    rf"{_ASKING} {_JUST}{_CONTACT} {_JUST}{WHOM}{_ABOUT}",
    rf"{_WISHING} (?:to )?{_JUST}(?:{_CONTACT} )?{WHOM}{_ABOUT}",
    rf"(?:want|need|wanna|would like) (?:to )?(?:{_CONTACT} )?{WHOM}{_ABOUT}",
    rf"(?:{_WISHING} |want |need |get me |give me )(?:some |a )?(?:human|live|real) (?:help|support|chat|assistance){_ABOUT}",
    rf"(?:(?:can|could|will|would) you {_JUST}|i (?:want|would like|need) you to )?{_PUT_ME_THROUGH} {WHOM}{_ABOUT}",
    rf"(?:let me )?(?:talk|speak|chat)(?:ing)? (?:to|with) {WHOM}{_ABOUT}",
    rf"is there {WHOM} (?:(?:that |who )?(?:i|we) (?:can|could) |to )(?:talk|speak|chat) (?:to|with){_ABOUT}",
    rf"(?:can|could|will|would) (?:you have )?{WHOM} {_JUST}(?:help|assist|contact|answer|take over)(?: me"
    rf"| us)?{_ABOUT}",
)
PERSON_WISHES_ZH = (
    "(?:我|你|您|们|想|要|需要|需|帮|给|能不能|可不可以|能否|能|可以)*+(?:转接|转|接通|接|找|联系|叫|换成?|连线)"
    "(?:到|个|一下|一个|一位|你们的?)?(?:人工客服|真人客服|在线客服|客服人员|人工服务|人工坐席|工作人员|人工|真人|客服|主管|经理|负责人)"
    "(?:客服|服务|帮忙|处理|来|聊聊?|说话|沟通|谈谈?|解决|回答|跟我说|和我说)*+",
    "(?:我|你|您|们|想|要|需要|能不能|可不可以|能否|能|可以)++(?:和|跟|与|同)"
    "(?:一个|一位|你们的?)?(?:人工客服|真人客服|在线客服|客服人员|工作人员|人工|真人|客服|主管|经理|负责人|活人)"
    "(?:聊聊?|说话|沟通|谈谈?|对话|讲话?|说)(?:一?聊|一?下|话)?",
    "(?:我|想|要|需要)++(?:个|一个|一位)?(?:人工客服|真人客服|人工服务|人工|真人|客服|活人)(?:服务|帮忙|处理|解决)?",
    "我?(?:想要?|要)?找(?:个|一个)?(?:活|真)?人(?:说话|聊聊?)?",
    "(?:我|想|要|需要)++(?:和|跟|与|同)(?:个|一个)?(?:活|真)?人(?:说话|说|聊聊?|聊天|沟通|对话|谈谈?)",
    "(?:快|赶紧)?(?:叫|喊|换)(?:个|一个|一下|你们的?)?(?:活|真)?人(?:来|过来|跟我说|和我说)*+",
)
# Too little to be a wish inside a longer message, enough when nothing else is said.
PERSON_ALONE = (
    rf"(?:just )?{WHOM}(?: chat| help| support)?",
    r"(?:live|human) (?:chat|support|help)|(?:not a|no) (?:ro)?bots?|hand ?over|escalate(?: this)?|real person"
    r"|(?:transfer|connect) me(?: over)?",
    r"i (?:dont|do not) (?:want|like) (?:to (?:talk|speak|chat) (?:to|with) )?(?:a |an |this |the )?(?:(?:chat"
    r"|ro)?bots?|machine|computer|ai)",
    "(?:人工|真人|客服|人工客服|真人客服|在线客服|人工服务|客服人员|人工坐席|工作人员)(?:客服|服务|帮忙|处理)?",
    "(?:人工客服|人工|真人客服|真人){2,4}+|(?:人工客服|人工|真人客服|真人|客服)(?:在不在|在|来|快来|出来)",
    "(?:不要|我不要|不想要|别用|不想和|不想跟)机器人(?:回答|说话|聊|客服)?",
)

# -- a robot, and who it is -------------------------------------------------------------------------------------------

_TELL_ME = (
    r"(?:(?:can|could|would) you (?:please )?tell me (?:if|whether)|you could tell me if|tell me (?:if|whether)"
    r"|(?:i would|id) like to know (?:if|whether)|i am curious(?: to know)? (?:if|whether)"
    r"|im curious(?: to know)? (?:if|whether)"
    r"|i (?:want|need) to know (?:if|whether)|i wonder (?:if|whether)|clear something up|would it be (?:accurate"
    r"|fair) to (?:call|say)"
    r"|would you say(?: that)?|do you consider yourself(?: to be)?|(?:would|could|should) you be (?:classified"
    r"|considered|called) as) "
)
_MACHINE = (
    r"(?:a |an |the |some |just |really |only |actually |secretly |even |in fact |still |real |live |actual "
    r"|true ){0,4}(?:chat ?bots?|robots?|bots?|machine"
    r"|computer(?: program)?|program|ai|artificial intelligence(?: being)?|automated(?: system)?|automatic|siri"
    r"|alexa|chat ?gpt|gpt|llm|language model"
    r"|(?:persons?|people|humans?(?: beings?)?|man|woman|guy|employee|agent)"
    r"|real|human|alive|fake)"
)
_OR_MACHINE = rf"(?:{_MACHINE})(?: or (?:are you |is it |is this )?(?:{_MACHINE}|not))?"
ROBOT = (
    rf"(?:{_TELL_ME})?(?:are|r|were|could) (?:you|u|ya)(?: be| guys)? {_OR_MACHINE}",
    rf"(?:{_TELL_ME})(?:you (?:are|were|re) |youre |you )?(?:{_OR_MACHINE})",
    rf"(?:{_TELL_ME})?(?:am i|i am|im) (?:really |actually |now )?(?:talking|speaking|chatting|writing) (?:to"
    rf"|with) {_OR_MACHINE}",
    r"(?:is (?:this|it|that|there)|so this is|this is) (?:an? |some |just |really |even |actually |real "
    r"|live ){0,3}(?:chat ?bot|robot|bot|ai|person|human(?: being)?)"
    r"(?: or (?:an? )?(?:real |live )?(?:chat ?bot|robot|bot|ai|machine|person|human|not))?(?: (?:i am"
    r"|im) (?:talking|speaking|chatting) (?:to|with)| answering(?: me)?)?",
    rf"who am i (?:talking|speaking|chatting|writing) (?:to|with)|(?:talking|speaking) to {_MACHINE}",
    r"you (?:are|re|sound like) (?:a |an )(?:chat ?bot|robot|bot|machine|computer)|youre (?:a |an )(?:chat ?bot"
    r"|robot|bot|machine|computer)",
    r"what (?:kind of )?(?:life form|being|thing) (?:are you|you are)"
    r"|can you (?:act and )?think like a (?:real )?(?:person|human)",
    rf"(?:{_TELL_ME[:-1]}|can you tell me)? ?what kind of (?:life form|being|thing) you are",
    "(?:你|您|这|那你|你们|对面|对方|请问你|现在)*+(?:到底|究竟|真的|其实)?(?:是不是|是|算)(?:一个|个|真的|在线)?"
    "(?:机器人?|机器客服|智能客服|人工智能|AI|ai|程序|电脑|真人|人工|活人|人类?|自动回复|自动)(?:客服|回复|回答|在回复|在回答)?"
    "(?:还是(?:一个|个)?(?:机器人?|人工智能|AI|ai|程序|电脑|真人|人工|活人|人类?)(?:客服|回复)?)?(?:的)?",
    "(?:我)?(?:是|现在)?(?:是)?在?(?:跟|和|与)(?:一个|个)?(?:机器人|真人|人工智能|ai|AI|人工|程序)(?:还是(?:真人|机器人|人工))?(?:在)?(?:聊天|说话|对话|聊)",
    "(?:机器人|真人|人工)还是(?:机器人|真人|人工)|有没有真人|机器人",
)
IDENTITY = (
    r"(?:and )?(?:who|what) (?:are|r) (?:you|u)(?: exactly| really)?|who is (?:this|there|answering)"
    r"|introduce yourself|tell me about yourself",
    r"(?:(?:can|may|could) i (?:ask|have|know|get) |do you mind if i ask |id like to know |tell me "
    r"|i would like to know )?"
    r"(?:(?:what|whats) (?:is |was |exactly is |are )?)?(?:your|ur|thy) (?:first |given |full "
    r"|real )?names?(?: (?:again|is|exactly))?",
    r"whats? (?:is |was )?the name (?:youd?|i|you)(?: should| were| d)? (?:were given|use to talk to you"
    r"|like to be called|given|call you)",
    r"what (?:may|can|should|do|shall) (?:i|we|you) (?:call|go by|be called)(?: you| yourself| by)?"
    r"|do you have a (?:nick ?)?name|what do you go by",
    r"(?:do you know )?(?:who|what|which company|what (?:company|organization|organisation|firm)) "
    r"(?:or what |has |have )?(?:made|makes|created|built|builds|designed|programmed|manufactures|manufactured"
    r"|developed|trained|invented|conjured)"
    r" (?:you|u)",
    r"(?:who|what) (?:were|are|was) you (?:made|created|built|designed|programmed|manufactured|developed|trained) by",
    r"whos? (?:is )?(?:your )(?:maker|creator|designer|developer|manufacturer|inventor)"
    r"|who is (?:the person )?responsible for (?:your design|creating you)|who brought you into existence",
    r"what (?:company|organization|firm) (?:that made you|is responsible for your design)|what is the (?:company"
    r"|firm) that (?:made|created|built) you",
    r"where were you (?:programmed|built|created)",
    r"what (?:all )?(?:can|could|do) you (?:do|answer|know|help(?: me| us)?(?: with)?)(?: for me| here| about)?",
    r"how (?:can|could|do) you help(?: me| us)?|what (?:are|is) you (?:capable|able) (?:of"
    r"|to)(?: do(?:ing)?)?(?: and answering| answering)?",
    r"what are you capable of(?: doing| answering)?(?: and answering)?|what are you (?:for|here for|good for)"
    r"|what do you do(?: here)?",
    r"(?:can you tell me )?(?:what|which)(?: (?:all|kinds?|types?|sorts?|categories)(?: of)?)?(?: (?:questions?"
    r"|things?|topics?|subjects?|info|information))?"
    r" (?:can|may|could|am|do|should|are) (?:i|you|the)(?: ai)?(?: allowed to)?(?: tell me about| ask| answer"
    r"| know)?(?: (?:you|the ai|the bot|about|questions on))?",
    r"(?:can you tell me )?what (?:i can|can i) ask (?:you|the (?:ai|bot))",
    r"can i ask you (?:anything|something|questions?|all different types of questions)"
    r"|can you answer all (?:types|kinds) of questions",
    "(?:你|您|你们)(?:到底|究竟)?(?:是谁|叫什么(?:名字)?|是什么(?:东西|人)?|的名字是什么|能做什么|会做什么|能干什么|会干什么|能干嘛|会干嘛|可以做什么"
    "|能帮我(?:什么|做什么|干什么|啥)|可以帮我(?:什么|做什么)|有什么功能|有啥功能|会什么|能回答(?:什么|哪些)(?:问题)?|能干啥|会干啥|能做啥)",
    "(?:谁|哪家公司|哪个公司)(?:开发|制造|创造|设计|做|训练)(?:了|的|出)?(?:你|您)(?:的|们)?|我?(?:可以|能)问你?(?:什么|哪些|啥)(?:问题)?",
    "(?:你|您)叫啥(?:名字)?|怎么称呼(?:你|您)?|(?:自我)?介绍一下你自己|介绍一下自己|有什么能帮我的?",
)

# -- upset ------------------------------------------------------------------------------------------------------------

_VERY = (
    r"(?:(?:so|very|really|extremely|absolutely|totally|completely|just|simply|quite|pretty|truly|beyond"
    r"|fucking|bloody|more than|not) ){0,2}"
)
_BAD = (
    r"(?:unacceptable|ridiculous|outrageous|disgraceful|disgusting|pathetic|terrible|horrible|awful|appalling"
    r"|shameful|a joke|a scandal"
    r"|a disgrace|a scam|a rip ?off|useless|hopeless|annoying|frustrating|infuriating|disappointing|the worst|bad"
    r"|shit|bullshit|crap"
    r"|poor|rubbish|garbage|not ok(?:ay)?|not acceptable|not good enough|nonsense|unprofessional|insane|a mess)"
)
_UPSET = (
    r"(?:angry|furious|mad|upset|disappointed|annoyed|frustrated|fed up|pissed(?: off)?|unhappy|dissatisfied"
    r"|disgusted|livid|sick of this|tired of this"
    r"|at the end of my patience|losing my patience|outraged|appalled)"
)
_OF_YOURS = (
    r"(?:(?: (?:with|about|at|by|of) (?:you|this|that|it|your|the|all this|everything|such)(?: (?:company|shop"
    r"|store|service|customer service"
    r"|support|business|whole thing|situation|order|delivery|product|products|people|team|waiting|mess"
    r"|experience))*+))?"
)
COMPLAINT = (
    rf"thanks for nothing|(?:well )?(?:this|that|it|your (?:service|support|customer service|company|shop|app"
    rf"|website)|the (?:service|support)|customer service|you|you guys|you people"
    rf"|this (?:company|service|shop|is all)|this whole thing|what you (?:do|did))(?: (?:is|are|was|were|s|re)"
    rf"|) {_VERY}{_BAD}",
    rf"(?:thats|its|youre|your) {_VERY}{_BAD}",
    rf"(?:this|that|it) makes me {_VERY}(?:angry|furious|mad|upset)",
    rf"(?:i am|im|we are|were|i feel|i m) (?:getting )?{_VERY}{_UPSET}{_OF_YOURS}",
    rf"(?:{_VERY}(?:unacceptable|ridiculous|outrageous|disgraceful|disgusting|pathetic|terrible|horrible|awful"
    rf"|appalling|useless|disappointed|disappointing|angry|furious"
    rf"|annoying|frustrating|frustrated|annoyed))(?: (?:service|company|experience|support|customer service"
    rf"|quality|shop))?",
    r"(?:what a |such a )(?:joke|shame|disgrace|mess|scam|rip ?off|disaster|terrible service|bad service"
    r"|horrible company|nightmare)",
    r"(?:the )?worst (?:company|service|shop|store|support|experience|customer service|app)(?: (?:ever"
    r"|i have ever had|ive ever had|in the world|of all))?",
    r"(?:i (?:want|need|wish|would like|have) to |id like to |let me )?(?:make|file|lodge|raise|submit|register"
    r"|complain)(?: a(?:n)?(?: formal| official)?)?(?: complaints?)?"
    r"(?: about (?:this|that|you|it|your (?:company|service|shop)))?",
    r"(?:i have |this is )?(?:a )?(?:formal |official )?complaint(?: about (?:you|this|your service))?|i (?:want to|will"
    r"|have to|must) complain",
    r"i (?:will )?(?:never|wont ever) (?:buy|order|shop|use)(?: (?:anything|from|with|here|you|your service|again"
    r"|this|app|at|ever))+|never again",
    r"i (?:have had|had|ve had) enough(?: of (?:this|you))?|enough is enough|you (?:should be ashamed"
    r"|ruined everything|are thieves|are liars|cheated me|lied to me)"
    r"|shame on you|you suck|this sucks|screw you|fuck (?:you|this|off)|(?:you are |you |youre )?(?:idiots?"
    r"|morons?|stupid|scammers|liars|thieves|useless)|i hate (?:you|this|your (?:company|service|app))",
    "(?:我|我们)?(?:想|要|需要|必须|打算|要去)*+投诉(?:你们|你|商家|店家|公司)?",
    "(?:你们|你|这|这家店?|这个|服务|态度|客服|体验|质量|实在|真是|真的|简直|也|你们的?服务|你们的?态度|你们公司|什么)*+"
    "(?:(?:太|真|这么|好|超级?)(?:差劲|差|烂|坑|过分|离谱|失望|垃圾|慢|恶心|气人)|差劲|垃圾|骗子|坑人|坑爹|过分|离谱|气死我?|气死人|无语|失望|生气|愤怒|不满意?|受不了|恶心"
    "|忽悠人|欺骗消费者|破服务|破公司|烂|什么态度|什么服务|不可接受|不能接受|无法接受)"
    "(?:了|的|透顶|至极|极了|死了|到家|服务|公司|平台|店|态度)*+",
    "(?:我|我们)(?:真的|现在|已经|对你们|对此|非常|很|特别|太|十分|都|快)*+(?:生气|失望|愤怒|不满意?|无语|气死|气炸|恼火|不爽|烦死|要疯|受够|忍无可忍|火大)(?:了|的)*+",
    "(?:差评|给差评|我要给差评|再也不(?:买|来|用|会买|会来|会用)(?:你们的?|这里|这家)?(?:东西|产品|了)*+|退钱骗子|我要(?:曝光|举报)(?:你们)?|什么(?:破|垃圾|烂)(?:公司"
    "|服务|东西|店|玩意)?)",
)

# -- one order of theirs ----------------------------------------------------------------------------------------------

_THING = r"(?:orders?|parcels?|packages?|deliver(?:y|ies)|shipments?|purchases?|goods|stuff|items?)"
_NUMBER = r"(?:(?:number|no|nr|id)? ?[a-z]{0,4} ?\d[\w ]{1,24}+)"
_MINE = (
    rf"(?:(?:my|our) (?:last |recent |latest |whole )?{_THING}(?: {_NUMBER})?|(?:the |this |an )?{_THING} {_NUMBER})"
)
_YET = r"(?: (?:yet|now|already|today|at the moment|currently|exactly|please|at|still|finally))?"
OWN_ORDER = (
    rf"(?:so |and |but )?(?:where|wheres|were|wher)(?: (?:the (?:hell|heck|fuck)|on earth))?(?: (?:is|are|s|has"
    rf"|have))? {_MINE}(?: (?:gone|got to|been))?{_YET}",
    rf"(?:(?:can|could|would) you (?:please )?|i (?:want|need|would like) (?:you )?to |id like to |help me )?"
    rf"(?:tell me|check|check on|check up on|know|look up|look into|look for|trace|track|track down|locate|find"
    rf"|find out|see|get|give me)?"
    rf"(?: (?:about|for))?(?: me)? ?(?:where {_MINE} (?:is|are)|(?:whats |what is |about |on )?(?:the )?(?:status"
    rf"|state|whereabouts|progress|location|tracking) (?:of|for|on) {_MINE})",
    rf"(?:(?:can|could|would|will) you (?:please )?(?:help me )?|(?:i )?(?:want|need|would like"
    rf"|wanna) (?:you )?to |id like to |help me (?:to )?|i am trying to |im trying to )?"
    rf"(?:check|check on|look up|look into|trace|track|track down|locate|find) {_MINE}(?: status| tracking)?",
    rf"(?:the )?(?:status|state|whereabouts|progress|location|tracking) (?:of|for) {_MINE}|(?:any )?(?:news"
    rf"|update|updates) (?:on|about|of) {_MINE}",
    rf"{_MINE} (?:status|tracking|update|whereabouts)|(?:my |our ){_THING}(?: {_NUMBER})? where is it",
    rf"when (?:will|is|does|do|should|can i expect|are|would) {_MINE}(?: (?:be|going to|due|to|get|supposed to))*+"
    rf"(?: (?:arrive|come|coming|delivered|here|ship|shipped|sent|get here|arriving|turn up|be here))?{_YET}",
    rf"(?:has|have|had|was|is|did|are|were) {_MINE}(?: (?:been|get|got|even))?"
    rf" (?:shipped|sent|dispatched|delivered|brought|arrived?|arrive|left|out for delivery|here|coming|on (?:its"
    rf"|the) way)(?: (?:out|here))?{_YET}",
    rf"how far (?:along )?is {_MINE}|{_THING} {_NUMBER}|whats? (?:is )?(?:going on|happening|up|happened) (?:with"
    rf"|to) {_MINE}",
    "(?:我|你们?|帮|给|想|要|能不能|可以|能)*+(?:查|看|查查|查询|查看|追踪|跟踪)(?:一?下|一查|询一?下|询|个)?(?:我|我们)?的?"
    "(?:订单|快递|包裹|物流|单子|货)(?:号)?(?:的)?(?:状态|进度|信息|情况|到哪里?|到哪儿|在哪里?|走到哪里?)?(?:了)?",
    "(?:我|我们)(?:的|买的|订的|那个|那)*+(?:快递|包裹|订单|货|东西|物流|单子|件)(?:现在|目前|今天|究竟|到底|都|还)*+"
    "(?:走?到哪(?:里|儿|一步)?|在哪(?:里|儿)?|呢|怎么样|什么情况|啥情况|啥时候(?:能|可以)?(?:到|发货?)|什么时候(?:能|可以|会)?(?:到|发货?|送到)|发货没有?|发货?"
    "|到没有?|到没到|发没发|送到)(?:了|没有|没|吗)*+",
    "(?:快递|包裹|物流|货)(?:现在|目前|究竟|到底|都)*+(?:走?到哪(?:里|儿)?了)",
    "(?:我的?)?(?:订单|快递|运单|物流|单)号?(?:是|为)?[a-z]{0,4}\\d[\\da-z]{3,20}+(?:的)?(?:订单|快递|包裹)?(?:现在|目前)?"
    "(?:走?到哪(?:里|儿)?|在哪(?:里|儿)?|什么时候到|怎么样|什么情况|发货|查一?下|的?状态)?(?:了|没有|没|吗)*+",
)
# About an order, perhaps theirs: the articles are asked first.
ANY_ORDER = (
    rf"\b(?:where|track|tracking|trace|status|locate)\b.{{0,40}}\b{_THING}\b|\b{_THING}\b.{{0,30}}\b(?:status"
    rf"|tracking|lost|arriv\w*|late|delayed|disappeared|vanished|stuck|moved)\b"
    rf"|\b(?:my|our) {_THING}\b.{{0,60}}\b(?:come|coming|arrive|delivered|shipped|here|received|got)\b"
    rf"|\bi (?:have )?ordered\b.{{0,80}}\b(?:when|where|arrive|get here|come|here|received)\b"
    rf"|\bwas the {_THING} delivered\b"
    rf"|\bwhen\b.{{0,20}}\bi ordered\b.{{0,30}}\b(?:arrive|come|get here)",
    "(?:订单|快递|包裹|物流).{0,12}(?:到哪|在哪|状态|进度|没到|没收到|不动|没动静|没更新|丢|签收|什么时候到|啥时候到|怎么还没)|(?:查|追踪).{0,6}(?:订单|快递|包裹|物流)",
)
ANY_PERSON = (
    r"\b(?:talk|speak|chat|reach|contact|call|phone|ring|connect\w*|transfer\w*)\b.{0,20}\b(?:person|human"
    r"|someone|somebody|anyone|agent|representative|operator"
    r"|staff|employee|customer service|manager|supervisor|support)\b",
    "(?:人工|真人|客服).{0,8}(?:电话|热线|联系|在线|上班|几点|找|打)|(?:联系|找|打|转).{0,6}(?:人工|真人|客服)",
)

# -- small talk -------------------------------------------------------------------------------------------------------

_GREETING_WORDS = (
    r"(?:hiya|hi|hello|hey|heyo|hallo|howdy|hullo|greetings|good (?:morning|afternoon|evening|day)|morning"
    r"|afternoon|evening|yo|sup|wassup"
    r"|whats up|dear (?:team|sir|madam|all|support|sir or madam)|to whom it may concern)"
)
_TO_WHOM = (
    r"(?: (?:there|all|everyone|everybody|team|again|ai|bot|robot|assistant|friend|my friend|guys|folks"
    r"|you|mate|dear|sir|madam|support|you there))*+"
)
_HOW_ARE_YOU = (
    r"(?:(?:and )?(?:tell me )?how(?: are| re|s| is|ve| have| you)?(?: are| re| been)? ?(?:it|you|u|ya|things"
    r"|everything|life|are ya|you been|your day|you are)?"
    r"(?: (?:doing|going|been|hanging|today|my friend|so far|are|now))*+|how ya (?:doin|doing|been)"
    r"|are you (?:good|well|okay|ok|fine)|hows are ya)"
)
_THANK = (
    r"(?:(?:many|a lot of|special|big|so many|lots of|thousand|all my)? ?(?:thanks|thank (?:you|u|god)|thankyou"
    r"|thanku|thx|thanx|tks|ty|tyvm|cheers|that you)"
    r"(?: (?:a lot|a bunch|so much|very much|a million|again|indeed|anyway|guys|to you|all|kindly|sir|dear"
    r"|in advance))*+)"
)
# Behind thanks and before a farewell people say more. What is not named here may be a request: "Thanks, I want a refund".
_PRAISE = (
    r"(?:help|helpful|great help|big help|kind|great|patient|useful|pleasure|quick|fast|amazing|wonderful|good"
    r"|nice|lovely|awesome|perfect|brilliant|fun"
    r"|(?:great|good|nice|lovely|big|amazing|wonderful) (?:help|chat|talk|conversation|service|assistance)|chat"
    r"|talk|conversation|assist|assistance"
    r"|helping|answering|explaining|chatting|(?:your|the|all your|all the|this|that) (?:help|time|patience|answer"
    r"|reply|support|info|information|assistance|assist|chat|talk"
    r"|effort|quick (?:help|answer|reply|response)|response|advice|service))"
)
_MEASURE = r"(?:so |very |really |most |a |an |such a |such |of |always |as |the |too |much ){0,3}"
_WITH_YOU = (
    r"(?: (?:me|us|out|today|again|so much|always|earlier|with (?:this|that|it)|(?:talking|chatting"
    r"|speaking|to (?:talk|chat|speak))(?: (?:to|with) you)?|with me|now|as always))*+"
)
_KINDNESS = (
    rf"(?:(?:for|youve been|you have been|you were|youre|you are|that was|thats|it was|this was|its been"
    rf"|it has been|i enjoyed|you(?:ve)? helped|a) {_MEASURE}(?:{_PRAISE}{_WITH_YOU}|(?:me|us)(?: a lot| out)?)"
    rf"|i (?:really )?(?:enjoyed|liked|loved) (?:our (?:talk|chat|conversation)|(?:talking|chatting"
    rf"|speaking) (?:to|with) you)"
    rf"|{_MEASURE}(?:good|great|nice|lovely|pleasure|a pleasure)(?: as always)? (?:talk|chat|conversation"
    rf"|talking to you|to (?:talk|speak|chat) (?:to|with) you))"
)
_FINE = (
    r"(?:ok|okk|okay|k|kk|great|perfect|super|cool|fine|nice|wonderful|awesome|excellent|got it|alright|all right"
    r"|i see|understood|noted|sure|makes sense"
    r"|thats (?:all|it|great|fine|perfect|good|helpful|all i (?:need|needed|wanted))|that (?:helps"
    r"|helped)(?: a lot| me)?|much appreciated|appreciated|very helpful|good to know)"
)
_BYE = (
    r"(?:bye|goodbye|good bye|bye bye|byebye|good ?night|see (?:you|ya)(?: (?:later|soon|around|again|tomorrow"
    r"|then))*+|cya|later|peace out|take care|farewell|so long|adieu|ciao"
    r"|have a (?:nice|good|great|lovely|wonderful) (?:day|evening|weekend|one|night|time)(?: (?:too|yourself"
    r"|everyone))?|until (?:next time|then)|till next time|talk (?:to you )?(?:later|soon))"
)
GREETING = (
    rf"{_GREETING_WORDS}(?: {_GREETING_WORDS})*+{_TO_WHOM}(?: {_HOW_ARE_YOU})?",
    rf"{_HOW_ARE_YOU}|nice to meet you|pleased to meet you",
    r"(?:is )?(?:anyone|anybody|someone|somebody) (?:there|here|around|home|online)|(?:are )?you there"
    r"|test(?:ing)?(?: test(?:ing)?)*+|help(?: me)?(?: out)?|i need (?:some |your )?help"
    r"|can you help(?: me)?(?: out)?|can i ask (?:you )?(?:a|one|another) question|i have (?:a|one|another"
    r"|some) questions?|quick question|question",
    "(?:你好|您好|哈喽|哈啰|哈罗|嗨|喂|嘿|早上好|早安|上午好|中午好|下午好|晚上好|大家好|早|在不在|在吗|有人|有人在|在|亲|帮帮?我|您在|你在|忙吗|可以问个问题|问个问题|想问个问题"
    "|我想问个问题|有个问题)++",
)
THANKS = (
    rf"(?:{_FINE} |{_THANK} )*+(?:{_FINE}|{_THANK})(?: {_KINDNESS})?",
    rf"(?:{_FINE} )?(?:{_THANK} )?{_KINDNESS}|(?:{_THANK} )?i(?: really| do)? appreciate (?:it|that|this|you"
    rf"|your (?:help|time)|you (?:doing|helping) (?:that|me|this))",
    r"(?:im|i am) (?:so |very |really )?(?:thankful|grateful)(?: for (?:your|the|all your) (?:help|support"
    r"|time))?|i owe you(?: one)?|you have my (?:sincere )?(?:gratitude|thanks)"
    r"|(?:im|i am) (?:glad|happy) (?:that )?you did that(?: for me)?|youre (?:the best|awesome|great|amazing)"
    r"|you are (?:the best|awesome|great|amazing)|good (?:bot|job)|well done|no (?:more|further) questions"
    r"|(?:no )?(?:thats|that is) (?:all|it|everything)|nothing else",
    "(?:非常感谢|十分感谢|太感谢|感谢|谢谢|多谢|谢|太好|好的?|嗯|行|收到|明白|知道|清楚|懂|没问题|没事|ok|辛苦|麻烦|可以|了解|棒|太棒|赞|好滴|好嘞|不错)++"
    "(?:你|您|大家|你们|你的帮助|您的帮助|你的解答|您的解答)?(?:了|啦|哈)?",
)
PARTING = (
    rf"(?:{_BYE} )*+{_BYE}",
    rf"(?:{_THANK} )?(?:{_KINDNESS} )?{_BYE}(?: {_BYE})?",
    rf"{_KINDNESS} {_BYE}",
    "(?:再见|拜拜|拜|晚安|回见|回头见|下次见|下次再聊|再聊|88|先这样|就这样|没别的事|我先走|先走)++",
)

YES = (
    r"(?:yes|yeah|yep|yup|ya|sure|ok|okk|okay|please|of course|absolutely|definitely|certainly|gladly|go ahead"
    r"|alright|fine|great|good|perfect|y"
    r"|i (?:do|would|want(?: (?:to|that))?)|id (?:like|love) (?:that|to)|that would be (?:great|good|nice"
    r"|helpful)|yes (?:i would|i do|please)|do it|please do)"
    r"(?: (?:yes|please|do|sure|ok|okay|thanks|thank you|i would|go ahead|that would be (?:great|good|nice)))*+",
    "(?:好的?|要的?|需要|可以|行|是的?|对|嗯|恩|想|愿意|当然|聊|麻烦|转|ok|没问题|谢谢)++(?:了|吧|啊|呀|你|您)*+",
)

WHOLE: tuple[tuple[Intent, tuple[str, ...]], ...] = (
    (Intent.PERSON, PERSON_ALONE),
    (Intent.GREETING, GREETING),
    (Intent.THANKS, THANKS),
    (Intent.PARTING, PARTING),
    (Intent.COMPLAINT, COMPLAINT),
    (Intent.ORDER, OWN_ORDER),
    (Intent.ROBOT, ROBOT),
    (Intent.IDENTITY, IDENTITY),
)
